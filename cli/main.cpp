// datasync, and as kubectl-datasync the plugin `kubectl datasync`: runs, checks and looks into DataSync resources, in a
// cluster and without one. As kubectl_complete-datasync it completes for kubectl.
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
    std::ranges::reverse(words);  // as CLI11 wants them
    app->parse(std::move(words));
  } catch (const CLI::Error& e) {
    return app->exit(e) == 0 ? 0 : 2;
  }
  const auto code = cli::perform(*app, arguments);
  if (called == "kubectl_complete-datasync") std::cout << ":4\n";  // cobra: no file names
  return code;
}
