// The main function of datasync, which as kubectl-datasync is the plugin `kubectl datasync`: runs, checks and inspects
// DataSync resources, with or without a cluster. As kubectl_complete-datasync it provides completion for kubectl.
#include <filesystem>
#include <iostream>

#include "cli/commands.hpp"

int main(int argc, char** argv) {
  using namespace datasync;
  const auto called = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : std::string();
  cli::Arguments arguments;
  const auto app = cli::command_line(arguments);
  app->name(called == "kubectl-datasync" ? "kubectl datasync" : "datasync");
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (called == "kubectl_complete-datasync") words.insert(words.begin(), {"__complete", "--"});
  if (!words.empty()) {
    const auto wrong = cli::unknown_command(*app, words.front());
    if (!wrong.empty()) {
      std::cerr << wrong << '\n';
      return 2;
    }
  }
  try {
    std::ranges::reverse(words);  // CLI11 expects the reverse order
    app->parse(std::move(words));
  } catch (const CLI::Error& e) {
    return app->exit(e) == 0 ? 0 : 2;
  }
  const auto code = cli::perform(*app, arguments);
  if (called == "kubectl_complete-datasync") std::cout << ":4\n";  // for cobra: no file names
  return code;
}
