#include "tests/unit/chart/chart.hpp"

#include <chrono>
#include <stdexcept>

#include "agents/config/value.hpp"
#include "operator/api/yaml.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {
namespace {

constexpr std::chrono::hours kLongest{1};  // ctest ends a test that hangs, and the program with it

}  // namespace

Ran Chart::run(const std::string& program, const std::vector<std::string>& args) const {
  ProcessOptions o;
  o.args = {kube_tool(program).string()};
  o.args.insert(o.args.end(), args.begin(), args.end());
  o.log = folder() / "out";
  o.working_dir = folder();
  o.env = {{"HOME", folder().string()}, {"HELM_CACHE_HOME", folder().string()}};
  std::filesystem::remove(o.log);
  auto process = Process::start(o);
  const auto exit = process.wait(kLongest);
  return {exit ? exit->code : -1, read_file(o.log)};
}

Ran Chart::render(const std::string& values, const std::string& kube_version) const {
  write_file(folder() / "values.yaml", values);
  return run("helm", {"template", "datasync", PROJECT_SOURCE_DIR "/charts/datasync-operator", "-n", "datasync-system",
                      "--kube-version", kube_version, "-f", "values.yaml"});
}

const std::vector<Json>& Chart::objects(const std::string& values) const {
  if (const auto at = made_.find(values); at != made_.end()) return at->second;
  const auto ran = render(values);
  if (ran.code != 0) throw std::runtime_error(ran.text);
  auto& out = made_[values];
  const auto documents = api::parse_yaml(ran.text).value();
  for (const auto& document : documents) out.push_back(Json::parse(config::to_json(document.value)));
  return out;
}

Json Chart::object(const std::string& values, const std::string& kind, const std::string& ending) const {
  Json found;
  for (const auto& object : objects(values)) {
    if (object.value("kind", "") != kind || !object.at("metadata").value("name", "").ends_with(ending)) continue;
    if (!found.is_null()) throw std::runtime_error("two objects of kind " + kind);
    found = object;
  }
  return found;
}

Json Chart::rules() const {
  return object("{crds: {enabled: false}, metrics: {prometheusRule: {enabled: true}}}", "PrometheusRule").at("spec");
}

}  // namespace datasync::test
