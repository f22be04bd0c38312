#include "core/digest_many.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>

#include "core/digest.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

// FIPS 180-4, section 6.2, for several texts in the lanes of a vector: each step works on the next
// block of every lane's text.

namespace cloche {
namespace {

std::string hash_alone(std::string_view text) {
  Hasher hasher;
  hasher.update(text);
  return hasher.finish_hex();
}

#ifdef __x86_64__

constexpr std::size_t kBlock = 64;
constexpr std::size_t kWords = 8;
constexpr std::size_t kRounds = 64;

constexpr std::array<std::uint32_t, kWords> kStart = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr std::array<std::uint32_t, kRounds> kConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using Eight [[gnu::vector_size(32)]] = std::uint32_t;
using Sixteen [[gnu::vector_size(64)]] = std::uint32_t;

template <std::size_t N>
struct VectorOf;
template <>
struct VectorOf<8> {
  using Type = Eight;
};
template <>
struct VectorOf<16> {
  using Type = Sixteen;
};

template <std::size_t N>
struct Lanes {
  using Vector = typename VectorOf<N>::Type;
  Vector state[kWords];           // NOLINT(modernize-avoid-c-arrays): std::array forgets alignment
  std::array<const char*, N> at;  // the next block of each lane
};

template <class Vector>
[[gnu::always_inline]] inline void rotate_right(Vector& out, const Vector& value, int bits) {
  out = (value >> bits) | (value << (32 - bits));
}

// One block of each lane.
template <std::size_t N>
[[gnu::always_inline]] inline void step(Lanes<N>& lanes) {
  using Vector = typename Lanes<N>::Vector;
  Vector w[16];  // NOLINT(modernize-avoid-c-arrays)
  for (std::size_t t = 0; t < 16; ++t) {
    for (std::size_t lane = 0; lane < N; ++lane) {
      std::uint32_t word = 0;
      std::memcpy(&word, lanes.at[lane] + (4 * t), sizeof word);
      w[t][lane] = __builtin_bswap32(word);
    }
  }
  Vector a = lanes.state[0];
  Vector b = lanes.state[1];
  Vector c = lanes.state[2];
  Vector d = lanes.state[3];
  Vector e = lanes.state[4];
  Vector f = lanes.state[5];
  Vector g = lanes.state[6];
  Vector h = lanes.state[7];
  Vector r1;
  Vector r2;
  Vector r3;
  for (std::size_t t = 0; t < kRounds; ++t) {
    Vector& word = w[t % 16];
    if (t >= 16) {
      const Vector& w15 = w[(t - 15) % 16];
      const Vector& w2 = w[(t - 2) % 16];
      rotate_right(r1, w15, 7);
      rotate_right(r2, w15, 18);
      word += w[(t - 7) % 16] + (r1 ^ r2 ^ (w15 >> 3));
      rotate_right(r1, w2, 17);
      rotate_right(r2, w2, 19);
      word += r1 ^ r2 ^ (w2 >> 10);
    }
    rotate_right(r1, e, 6);
    rotate_right(r2, e, 11);
    rotate_right(r3, e, 25);
    const Vector t1 = h + (r1 ^ r2 ^ r3) + ((e & f) ^ (~e & g)) + kConstants[t] + word;
    rotate_right(r1, a, 2);
    rotate_right(r2, a, 13);
    rotate_right(r3, a, 22);
    const Vector t2 = (r1 ^ r2 ^ r3) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  lanes.state[0] += a;
  lanes.state[1] += b;
  lanes.state[2] += c;
  lanes.state[3] += d;
  lanes.state[4] += e;
  lanes.state[5] += f;
  lanes.state[6] += g;
  lanes.state[7] += h;
}

// `blocks` of each lane; a lane with a stride of 0 stays where it is, its result is thrown away.
template <std::size_t N>
[[gnu::always_inline]] inline void steps(Lanes<N>& lanes, std::size_t blocks,
                                         const std::array<std::size_t, N>& strides) {
  for (std::size_t i = 0; i < blocks; ++i) {
    step<N>(lanes);
    for (std::size_t lane = 0; lane < N; ++lane) {
      lanes.at[lane] += strides[lane];
    }
  }
}

[[gnu::target("avx512f,avx512bw,avx512vl")]] void steps_of_16(
    Lanes<16>& lanes, std::size_t blocks, const std::array<std::size_t, 16>& strides) {
  steps<16>(lanes, blocks, strides);
}

[[gnu::target("avx2")]] void steps_of_8(Lanes<8>& lanes, std::size_t blocks,
                                        const std::array<std::size_t, 8>& strides) {
  steps<8>(lanes, blocks, strides);
}

enum class Width { kOne, kEight, kSixteen };

// A bool to one compiler, an int to the other.
template <class Answer>
bool is_set(Answer answer) {
  return answer != Answer{};
}

Width width_here() {
  constexpr unsigned kShaBit = 1U << 29U;  // leaf 7, EBX
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & kShaBit) != 0) {
    return Width::kOne;
  }
  __builtin_cpu_init();
  if (is_set(__builtin_cpu_supports("avx512f")) && is_set(__builtin_cpu_supports("avx512bw")) &&
      is_set(__builtin_cpu_supports("avx512vl"))) {
    return Width::kSixteen;
  }
  return is_set(__builtin_cpu_supports("avx2")) ? Width::kEight : Width::kOne;
}

// The last bytes of a text with the padding: one block or two.
struct Tail {
  explicit Tail(std::string_view text) {
    const std::size_t left = text.size() % kBlock;
    text.copy(bytes.data(), left, text.size() - left);
    bytes.at(left) = '\x80';
    blocks = left + 9 > kBlock ? 2 : 1;
    std::uint64_t bits = std::uint64_t{text.size()} * 8;
    for (std::size_t i = 1; i <= sizeof bits; ++i, bits >>= 8U) {
      bytes.at((blocks * kBlock) - i) = static_cast<char>(bits & 0xffU);
    }
  }
  std::array<char, 2 * kBlock> bytes{};
  std::size_t blocks = 0;
};

// Texts of similar sizes, in the lanes as these become free.
template <std::size_t N>
class Group {
 public:
  using Steps = void (*)(Lanes<N>&, std::size_t, const std::array<std::size_t, N>&);

  Group(std::span<const std::string_view> texts, std::span<const std::size_t> order,
        std::vector<std::string>& out, Steps steps)
      : texts_(texts), order_(order), out_(out), steps_(steps) {}

  void run() {
    for (std::size_t lane = 0; lane < N; ++lane) {
      next(lane);
    }
    while (busy_ > 0) {
      std::size_t blocks = 0;
      for (std::size_t lane = 0; lane < N; ++lane) {
        if (left_[lane] > 0 && (blocks == 0 || left_[lane] < blocks)) {
          blocks = left_[lane];
        }
      }
      steps_(lanes_, blocks, strides_);
      for (std::size_t lane = 0; lane < N; ++lane) {
        if (left_[lane] == 0) {
          continue;
        }
        left_[lane] -= blocks;
        if (left_[lane] == 0) {
          go_on(lane);
        }
      }
    }
  }

 private:
  void go_on(std::size_t lane) {
    if (!in_tail_[lane]) {
      in_tail_[lane] = true;
      lanes_.at[lane] = tails_[lane].bytes.data();
      left_[lane] = tails_[lane].blocks;
      return;
    }
    finish(lane);
    next(lane);
  }

  void next(std::size_t lane) {
    if (taken_ == order_.size()) {
      lanes_.at[lane] = kNothing.data();
      strides_[lane] = 0;
      return;
    }
    text_[lane] = order_[taken_++];
    ++busy_;
    const std::string_view text = texts_[text_[lane]];
    tails_[lane] = Tail(text);
    for (std::size_t word = 0; word < kWords; ++word) {
      lanes_.state[word][lane] = kStart[word];
    }
    strides_[lane] = kBlock;
    lanes_.at[lane] = text.data();
    left_[lane] = text.size() / kBlock;
    in_tail_[lane] = false;
    if (left_[lane] == 0) {
      go_on(lane);
    }
  }

  void finish(std::size_t lane) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string& hex = out_[text_[lane]];
    for (const auto& word : lanes_.state) {
      const std::uint32_t value = word[lane];
      for (int shift = 28; shift >= 0; shift -= 4) {
        hex += kHex[(value >> static_cast<unsigned>(shift)) & 15U];
      }
    }
    --busy_;
  }

  static constexpr std::array<char, kBlock> kNothing{};

  std::span<const std::string_view> texts_;
  std::span<const std::size_t> order_;
  std::vector<std::string>& out_;
  Steps steps_;
  std::size_t taken_ = 0;
  std::size_t busy_ = 0;
  Lanes<N> lanes_{};
  std::array<std::size_t, N> strides_{};
  std::array<std::size_t, N> left_{};  // blocks of what `at` is in; 0: the lane is idle
  std::array<std::size_t, N> text_{};
  std::array<bool, N> in_tail_{};
  std::array<Tail, N> tails_ = make_tails();

  static std::array<Tail, N> make_tails() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<Tail, N>{((void)I, Tail(""))...};
    }(std::make_index_sequence<N>());
  }
};

// Lanes wait for the largest text, so one that is larger than this share of all that come after it
// is hashed alone.
constexpr std::size_t kLargestShare = 8;

std::vector<std::string> hash_in_lanes(std::span<const std::string_view> texts, Width width) {
  std::vector<std::string> out(texts.size());
  std::vector<std::size_t> order;
  order.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    order.push_back(i);
  }
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return texts[i].size(); });
  std::size_t rest = 0;
  for (const std::string_view text : texts) {
    rest += text.size() + kBlock;
  }
  std::size_t alone = 0;
  for (; alone < order.size(); ++alone) {
    const std::string_view text = texts[order[alone]];
    rest -= text.size() + kBlock;
    if ((text.size() + kBlock) * kLargestShare <= rest) {
      break;
    }
    out[order[alone]] = hash_alone(text);
  }
  const std::span<const std::size_t> together = std::span(order).subspan(alone);
  if (width == Width::kSixteen) {
    Group<16>(texts, together, out, steps_of_16).run();
  } else {
    Group<8>(texts, together, out, steps_of_8).run();
  }
  return out;
}

#endif

}  // namespace

std::vector<std::string> sha256_of_each(std::span<const std::string_view> texts) {
#ifdef __x86_64__
  static const Width kWidth = width_here();
  if (kWidth != Width::kOne) {
    return hash_in_lanes(texts, kWidth);
  }
#endif
  std::vector<std::string> out;
  out.reserve(texts.size());
  for (const std::string_view text : texts) {
    out.push_back(hash_alone(text));
  }
  return out;
}

}  // namespace cloche
