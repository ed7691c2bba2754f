// xxHash as a header alone: nothing to link, and the hash is inlined where it is called.
#define XXH_INLINE_ALL
#include <xxhash.h>

// XXH3's functions are behind macros, which Swift cannot see.
static inline XXH64_hash_t xxh3_64bits_with_seed(const void *bytes, size_t count, XXH64_hash_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}

static inline XXH128_hash_t xxh3_128bits_with_seed(const void *bytes, size_t count, XXH64_hash_t seed) {
    return XXH3_128bits_withSeed(bytes, count, seed);
}
