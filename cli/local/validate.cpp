#include "cli/local/validate.hpp"

#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::cli {
namespace {

// "-" means the standard input.
base::Result<std::string> text_of(const std::filesystem::path& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  return config::read_file(file);
}

bool load_file(const std::filesystem::path& file, Loaded& loaded, std::ostream& out) {
  const auto text = text_of(file);
  if (!text) {
    out << text.error().what << '\n';
    return false;
  }
  bool valid = true;
  auto read = api::read_manifests(*text);
  for (auto& kind : read.others) loaded.others.insert(std::move(kind));
  for (auto& document : read.documents) {
    for (const auto& p : document.problems) {
      out << fmt::format("{}, document {}: {}\n", file.string(), document.number, p.text());
      valid = false;
    }
    if (document.problems.empty()) loaded.resources.push_back(std::move(document.resource));
  }
  return valid;
}

/// Files that are valid, and hold none, are a mistake of whoever named them.
void need_one(Loaded& loaded, std::ostream& out) {
  if (!loaded.valid || !loaded.resources.empty()) return;
  out << "there is no DataSync\n";
  loaded.valid = false;
}

}  // namespace

Loaded load(const std::vector<std::filesystem::path>& files, std::ostream& out) {
  Loaded loaded;
  for (const auto& file : files) {
    if (!load_file(file, loaded, out)) loaded.valid = false;
  }
  need_one(loaded, out);
  return loaded;
}

int validate(const std::vector<std::filesystem::path>& files, std::ostream& out) {
  Loaded loaded;
  for (const auto& file : files) {
    const auto first = loaded.resources.size();
    if (load_file(file, loaded, out)) {
      out << file.string() << ": ok\n";
      // The resource is valid, but this version cannot run it yet.
      for (auto i = first; i < loaded.resources.size(); ++i)
        for (const auto& p : api::not_built(loaded.resources[i]))
          out << fmt::format("{}: note: {}: {}\n", file.string(), loaded.resources[i].id(), p.text());
    } else {
      loaded.valid = false;
    }
  }
  if (!loaded.others.empty())
    out << fmt::format("note: objects of other kinds are not checked: {}\n", fmt::join(loaded.others, ", "));
  need_one(loaded, out);
  return loaded.valid ? 0 : 1;
}

}  // namespace datasync::cli
