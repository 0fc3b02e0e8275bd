// What runs a fuzz target without libFuzzer: every file of a folder as it is, then changed ones for FUZZ_SECONDS of the
// environment (5). The same seed makes the same inputs.
// Usage: NAME FOLDER [SEED]

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Input> out;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

/// A few flipped bits, changed bytes, cuts, insertions and pieces of other inputs.
Input changed(const std::vector<Input>& corpus, std::mt19937_64& rng) {
  Input out = corpus[rng() % corpus.size()];
  for (auto changes = 1 + rng() % 6; changes > 0; --changes) {
    const auto at = out.empty() ? 0 : rng() % out.size();
    const auto where = out.begin() + static_cast<std::ptrdiff_t>(at);
    switch (out.empty() ? 3 : rng() % 5) {
      case 0:
        out[at] = static_cast<std::uint8_t>(out[at] ^ (1U << rng() % 8));
        break;
      case 1: {
        constexpr std::uint8_t kEdges[] = {0, 1, 0x7F, 0x80, 0xFB, 0xFC, 0xFE, 0xFF};
        out[at] = kEdges[rng() % std::size(kEdges)];
        break;
      }
      case 2:
        out.erase(where, where + static_cast<std::ptrdiff_t>(1 + rng() % std::min<std::size_t>(out.size() - at, 8)));
        break;
      case 3:
        out.insert(where, static_cast<std::uint8_t>(rng()));
        break;
      default: {
        const auto& other = corpus[rng() % corpus.size()];
        const auto from = other.empty() ? 0 : rng() % other.size();
        out.insert(where, other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
        break;
      }
    }
  }
  constexpr std::size_t kLongest = 1U << 16U;
  if (out.size() > kLongest) out.resize(kLongest);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [SEED]\n", argv[0]);
    return 2;
  }
  const std::uint64_t seed = argc > 2 ? std::stoull(argv[2]) : std::random_device{}();
  const char* given = std::getenv("FUZZ_SECONDS");
  const std::chrono::seconds time(given != nullptr && *given != '\0' ? std::stoul(given) : 5);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  const auto corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "no inputs in %s\n", argv[1]);
    return 2;
  }
  for (const auto& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  std::mt19937_64 rng(seed);
  const auto until = std::chrono::steady_clock::now() + time;
  std::uint64_t rounds = 0;
  for (; std::chrono::steady_clock::now() < until; ++rounds) {
    const auto input = changed(corpus, rng);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu inputs, %llu changed ones\n", corpus.size(), static_cast<unsigned long long>(rounds));
  return 0;
}
