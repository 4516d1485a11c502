/*
 * checker IMAGE GAPS STEPS: loads an arena that layout.ts wrote, trains STEPS steps and prints a hash of losses, evaluations
 * and the whole state. Built with AddressSanitizer, the gaps between the arena's regions (GAPS: int32 pairs of float offset and
 * length) and everything around the arena are poisoned, so that a read or write outside a region ends the program.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel.h"

int kernel_steps(Arena *arena, int count, int cycled);
double kernel_evaluate(Arena *arena, int split, int first);

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

static uint64_t hash = 0xcbf29ce484222325u;
static void add(const void *data, size_t size) {
  for (size_t i = 0; i < size; i++) hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
}

static void *readAll(const char *path, long *size) {
  FILE *file = fopen(path, "rb");
  if (!file) exit(2);
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  void *data = aligned_alloc(64, (size_t)(*size + 63) / 64 * 64);
  if (!data || fread(data, 1, (size_t)*size, file) != (size_t)*size) exit(2);
  fclose(file);
  return data;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  long size, gapBytes;
  Arena *arena = readAll(arguments[1], &size);
  const int32_t *gaps = readAll(arguments[2], &gapBytes);
  if (arena->magic != ARENA_MAGIC || size != (long)arena->arenaFloats * 4) return 2;
  for (long i = 0; i < gapBytes / 8; i++) {
    float *at = (float *)arena + gaps[2 * i];
    ASAN_POISON_MEMORY_REGION(at, (size_t)gaps[2 * i + 1] * 4);
    if (getenv("CHECKER_BROKEN") && i == 1) *(volatile float *)at = 1;
  }
  const int steps = atoi(arguments[3]);
  const int ran = kernel_steps(arena, steps, 0);
  add((float *)arena + arena->loss, (size_t)ran * 4);
  for (int split = 0; split < 2; split++) {
    double total = 0;
    for (int first = 0; first < arena->exampleCount[split]; first += arena->blockRows) total += kernel_evaluate(arena, split, first);
    const double value = total / arena->exampleCount[split];
    add(&value, sizeof value);
  }
  add((float *)arena + arena->parameters, (size_t)arena->parameterFloats * 4);
  add((float *)arena + arena->slots, (size_t)arena->slotsUsed * arena->parameterFloats * 4);
  printf("%d steps %016llx\n", ran, (unsigned long long)hash);
  free((void *)gaps);
  free(arena);
  return 0;
}
