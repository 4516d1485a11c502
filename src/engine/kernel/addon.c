/*
 * The Node-API addon around kernel.c, built by build-native.mjs. It has no state, so any number of threads may load it.
 * The arena is an ArrayBuffer that JavaScript owns: (buffer, offset) in every call.
 */
#include <node_api.h>
#include <stdint.h>

#include "kernel.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

typedef struct {
  int lanes;
  int (*steps)(Arena *, int, int);
  double (*evaluate)(Arena *, int, int);
} Build;

#define DECLARE(name)                            \
  int name##_steps(Arena *arena, int count, int cycled); \
  double name##_evaluate(Arena *arena, int split, int first);

#if defined(__x86_64__)
DECLARE(avx512)
DECLARE(avx2)
static const Build builds[] = {{16, avx512_steps, avx512_evaluate}, {8, avx2_steps, avx2_evaluate}};
static int supported(int lanes) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         (lanes == 8 || (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl")));
}
#elif defined(__aarch64__)
DECLARE(neon)
static const Build builds[] = {{4, neon_steps, neon_evaluate}};
static int supported(int lanes) { return lanes == 4; }
#else
#error "the native kernel is for x86-64 and arm64"
#endif
#define BUILDS ((int)(sizeof builds / sizeof *builds))

static napi_value fail(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG", message);
  return 0;
}

/** Reads (lanes, buffer, offset, integers...); NULL with an exception pending when they do not describe an arena. */
static Arena *arguments(napi_env env, napi_callback_info info, const Build **build, int32_t *integers, size_t count) {
  napi_value values[5];
  size_t given = 3 + count, size;
  int32_t lanes;
  int64_t offset;
  void *data;
  napi_get_cb_info(env, info, &given, values, 0, 0);
  if (given < 3 + count || napi_get_value_int32(env, values[0], &lanes) != napi_ok ||
      napi_get_arraybuffer_info(env, values[1], &data, &size) != napi_ok ||
      napi_get_value_int64(env, values[2], &offset) != napi_ok) {
    fail(env, "expected (lanes, arena, offset, ...)");
    return 0;
  }
  for (size_t i = 0; i < count; i++)
    if (napi_get_value_int32(env, values[3 + i], integers + i) != napi_ok) {
      fail(env, "expected integers");
      return 0;
    }
  *build = 0;
  for (int i = 0; i < BUILDS; i++)
    if (builds[i].lanes == lanes && supported(lanes)) *build = builds + i;
  Arena *arena = (Arena *)((char *)data + offset);
  if (!*build || offset < 0 || (size_t)offset + sizeof(Arena) > size || (uintptr_t)arena % 64 != 0 ||
      arena->magic != ARENA_MAGIC || (size_t)offset + (size_t)arena->arenaFloats * 4 > size) {
    fail(env, "not an arena, or lanes this processor does not have");
    return 0;
  }
  return arena;
}

/** steps(lanes, buffer, offset, count, cycled): how many losses were written. */
static napi_value steps(napi_env env, napi_callback_info info) {
  const Build *build;
  int32_t integers[2];
  Arena *arena = arguments(env, info, &build, integers, 2);
  if (!arena) return 0;
  if (integers[0] < 0 || integers[0] > arena->chunkCapacity) return fail(env, "count is out of range");
  napi_value result;
  napi_create_int32(env, build->steps(arena, integers[0], integers[1]), &result);
  return result;
}

/** evaluate(lanes, buffer, offset, split, first): the sum of a block's cross-entropies in nats. */
static napi_value evaluate(napi_env env, napi_callback_info info) {
  const Build *build;
  int32_t integers[2];
  Arena *arena = arguments(env, info, &build, integers, 2);
  if (!arena) return 0;
  const int32_t split = integers[0], first = integers[1];
  if (split < 0 || split > 2) return fail(env, "split is out of range");
  if (first < 0 || first >= arena->exampleCount[split]) return fail(env, "first is out of range");
  napi_value result;
  napi_create_double(env, build->evaluate(arena, split, first), &result);
  return result;
}

/** offset(buffer): bytes from the buffer's start to its first 64-byte boundary. */
static napi_value offset(napi_env env, napi_callback_info info) {
  napi_value buffer, result;
  size_t given = 1, size;
  void *data;
  napi_get_cb_info(env, info, &given, &buffer, 0, 0);
  if (given < 1 || napi_get_arraybuffer_info(env, buffer, &data, &size) != napi_ok) return fail(env, "expected an ArrayBuffer");
  napi_create_int32(env, (int32_t)(-(uintptr_t)data % 64), &result);
  return result;
}

/* Exports: source (hash of the C source), lanes (those this processor has, widest first), and the functions above. */
NAPI_MODULE_INIT() {
  napi_value value, lanes;
  uint32_t count = 0;
  napi_create_string_utf8(env, STRING(KERNEL_SOURCE), NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "source", value);
  napi_create_array(env, &lanes);
  for (int i = 0; i < BUILDS; i++)
    if (supported(builds[i].lanes)) {
      napi_create_int32(env, builds[i].lanes, &value);
      napi_set_element(env, lanes, count++, value);
    }
  napi_set_named_property(env, exports, "lanes", lanes);
  const struct { const char *name; napi_callback call; } functions[] = {{"steps", steps}, {"evaluate", evaluate}, {"offset", offset}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, 0, &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
