# One place for compiler flags: every target of the project links datasync_flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(datasync_flags INTERFACE)
target_include_directories(datasync_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(datasync_flags INTERFACE DATASYNC_VERSION="${PROJECT_VERSION}")
target_compile_options(
  datasync_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wsign-conversion
            -Wshadow
            -Wnon-virtual-dtor
            -Wold-style-cast
            -Woverloaded-virtual
            -Wunused-result
            # designated initializers name the fields that matter
            -Wno-missing-field-initializers
            -Werror
            -fno-omit-frame-pointer)

set(DATASYNC_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")
if(DATASYNC_SANITIZE)
  target_compile_options(datasync_flags INTERFACE -fsanitize=${DATASYNC_SANITIZE} -fno-sanitize-recover=all
                         -Wno-maybe-uninitialized) # false alarms of g++ 12 in instrumented code
  target_link_options(datasync_flags INTERFACE -fsanitize=${DATASYNC_SANITIZE})
endif()

if(DATASYNC_SANITIZE MATCHES thread)
  add_library(ds_c11_threads STATIC ${PROJECT_SOURCE_DIR}/cmake/tsan/c11_threads.cpp)
  target_compile_options(ds_c11_threads PRIVATE -fsanitize=thread)
  target_link_libraries(datasync_flags INTERFACE ds_c11_threads)
  target_link_options(datasync_flags INTERFACE -Wl,-u,thrd_create) # before libc offers its own
endif()
