#include "cli/completion.hpp"

#include <algorithm>

namespace datasync::cli {
namespace {

// Both scripts call the program itself (`datasync __complete WORD...`), which prints one candidate per line, and use
// file names when there is none.
constexpr std::string_view kBash = R"sh(# datasync: completion for bash. Put it where bash looks:
#   datasync completion bash > /etc/bash_completion.d/datasync
# For `kubectl datasync`, put a program called kubectl_complete-datasync on the PATH: a link to datasync.
_datasync() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" \
    -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _datasync datasync
)sh";
constexpr std::string_view kZsh = R"sh(#compdef datasync
# datasync: completion for zsh. Put it into a folder of $fpath as _datasync.
_datasync() {
  local -a found
  found=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then
    compadd -a found
  else
    _files
  fi
}
compdef _datasync datasync
)sh";

void add_options(const CLI::App& app, std::vector<std::string>& out) {
  for (const auto* o : app.get_options([](const CLI::Option* option) { return option->nonpositional(); })) {
    if (o->get_group().empty()) continue;
    const auto& longs = o->get_lnames();
    if (!longs.empty()) out.push_back("--" + longs.front());
  }
}

// Returns the option named `word` when it takes a value.
const CLI::Option* option_with_value(const CLI::App& app, const std::string& word) {
  if (!word.starts_with('-')) return nullptr;
  const auto* o = app.get_option_no_throw(word);
  return o != nullptr && o->get_items_expected_max() > 0 ? o : nullptr;
}

std::string value_of_namespace(const CLI::App& app, const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (app.get_option_no_throw(words[i]) == app.get_option_no_throw("--namespace")) return words[i + 1];
  }
  return {};
}

}  // namespace

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  const auto all = app.get_subcommands([&](const CLI::App* c) { return c->get_name() == name; });
  return all.empty() ? nullptr : all.front();
}

std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const std::function<std::vector<std::string>(const std::string& ns)>& names_of) {
  std::vector<std::string> out;
  const auto last = words.empty() ? std::string() : words.back();
  if (words.size() <= 1) {
    for (const auto* c : app.get_subcommands(nullptr)) {
      if (!c->get_group().empty()) out.push_back(c->get_name());
    }
    if (last.starts_with('-')) add_options(app, out);
  } else {
    const auto* command = find_command(app, words.front());
    if (command == nullptr) return out;
    const auto* before = option_with_value(*command, words[words.size() - 2]);
    if (before != nullptr) {
      if (before->get_lnames() == std::vector<std::string>{"output"}) out = {"json", "yaml"};
    } else if (last.starts_with('-')) {
      add_options(*command, out);
    } else if (command->get_option_no_throw("--namespace") != nullptr) {
      out = names_of(value_of_namespace(*command, words));
    } else if (command->get_name() == "completion") {
      out = {"bash", "zsh"};
    }
  }
  std::erase_if(out, [&](const std::string& c) { return !c.starts_with(last); });
  std::ranges::sort(out);
  return out;
}

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : std::string_view();
}

}  // namespace datasync::cli
