# The operator's and the agents' image: the programs, the libraries they are linked with, certificates and a user.
# tools/images (make images) builds both; by hand:
#   docker build --target operator --build-arg VERSION=0.1.0 --tag REGISTRY/datasync/operator:0.1.0 .
ARG BASE=debian:trixie-slim

# What the programs are compiled with, at the state of Debian's fixes: the base may be older, and the images take their
# libraries from here. A layer of its own: it changes with this list only.
FROM ${BASE} AS dependencies
# The secret holds the machine's own settings of apt (a proxy, how dates are checked), which belong in no layer; there need not be one.
RUN --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/99build-host \
    apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q upgrade -y \
 && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
      ca-certificates \
      ccache \
      cmake \
      g++ \
      libboost-dev \
      libboost-filesystem-dev \
      libboost-system-dev \
      libcli11-dev \
      libcpp-httplib-dev \
      libcpprest-dev \
      libexpected-dev \
      libfmt-dev \
      libmariadb-dev \
      libprotobuf-dev \
      librdkafka-dev \
      libspdlog-dev \
      libssl-dev \
      libxxhash-dev \
      libyaml-cpp-dev \
      ninja-build \
      nlohmann-json3-dev \
      openssl \
      pkg-config \
      prometheus-cpp-dev \
      protobuf-compiler \
      zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*

FROM dependencies AS build
WORKDIR /src
COPY CMakeLists.txt LICENSE ./
COPY cmake cmake
COPY agents agents
COPY cli cli
COPY operator operator
RUN --mount=type=cache,target=/ccache export CCACHE_DIR=/ccache \
 && cmake -G Ninja -B /build -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" -DBUILD_TESTING=OFF \
 && ninja -C /build datasync-operator datasync-capture datasync-apply datasync
COPY tools/image-root tools/image-root
ARG VERSION=unversioned
# Seconds since 1970: the time of every file, and of the list of packages.
ARG SOURCE_DATE_EPOCH=0
RUN tools/image-root /image/operator operator datasync-operator datasync \
 && tools/image-root /image/agents agents datasync-capture datasync-apply datasync

FROM scratch AS operator
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.title="DataSync operator" \
      org.opencontainers.image.description="Runs DataSync resources in a Kubernetes cluster" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/operator/ /
ENV PATH=/usr/local/bin
USER 65532:65532
ENTRYPOINT ["datasync-operator"]

# Without an entry point: the operator names the program that a pod runs.
FROM scratch AS agents
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.title="DataSync agents" \
      org.opencontainers.image.description="Capture and apply agents of DataSync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/agents/ /
ENV PATH=/usr/local/bin
USER 65532:65532
