/*
 * The arena: one flat block of memory, 64-byte aligned, that holds everything a training run needs. layout.ts computes the
 * offset table and writes it here; the words below are in the order of its INTS, DOUBLES and LAYER_INTS lists.
 * Every offset counts floats (4 bytes) from the start of the arena and is a multiple of 16.
 */
#ifndef ANNEAL_KERNEL_H
#define ANNEAL_KERNEL_H

#define ARENA_MAGIC 0x4b4e4e41
#define MAX_LAYERS 5 /* four hidden, one for the logits */

typedef struct {
  int fanIn, fanOut;
  int weight;     /* parameters: ceil16(fanOut)/16 panels of (fanIn, 16) */
  int bias;       /* parameters: (ceil16(fanOut)) */
  int transposed; /* ceil16(fanIn)/16 panels of (fanOut, 16): the weight's transpose, made anew at each step */
  int output;     /* activations: ceil16(fanOut)/16 panels of (blockRows, 16) */
} Layer;

typedef struct {
  int magic;
  int arenaFloats; /* size of the whole arena */
  int contextLength, embeddingDim, vocabSize, layerCount;
  int relu; /* 1: relu, 0: tanh */
  int optimizer; /* OPTIMIZER_... in kernel.c */
  int nesterov, centered;
  int batchSize; /* examples a step; for the full batch: the train split's count */
  int fullBatch;
  int seed;      /* 32 bits */
  int blockRows; /* examples processed at once, a multiple of 16 */
  int slotsUsed; /* optimizer slots that hold something; part of the state */
  int parameters, parameterFloats;
  int gradients, slots; /* slots: consecutive arrays of parameterFloats */
  int input;            /* activations of the gathered embeddings: ceil16(contextLength * embeddingDim)/16 panels of (blockRows, 16) */
  int rows, rowFloats;  /* the same as rows: (blockRows, rowFloats) */
  int deltaA, deltaB;   /* gradients of activations */
  int symbols;          /* bytes (blockRows, contextLength + 1): the block's examples */
  int indices;          /* 32-bit integers: the block's draw, then (blockRows in) that of the next step */
  int rowSum, rowTarget; /* (blockRows): softmax denominator; the target's shifted logit */
  int lr, momentum, loss; /* the chunk's inputs (64-bit floats) and output (32-bit) */
  int chunkCapacity;
  int table;     /* evaluations: the first layer's sums by position and symbol, panels of (contextLength * vocabSize, 16) */
  int tableLeast; /* examples from which a split is evaluated by the table */
  int examples[3], exampleCount[3]; /* bytes (count, contextLength + 1): a context and its target; train, validation, test */
  Layer layers[MAX_LAYERS];
  double step, momentumDefault, dampening, weightDecay, beta2, eps, alpha;
} Arena;

#endif
