/**
 * What the bytes of a run depend on besides its spec and seed. Raise the number at an engine's end with a change after which
 * it gives other bytes, and only then: test/engine/numerics.test.ts says when. A run goes on where its numerics are, whatever
 * the rest of the code has become. Of tfjs, whose bytes are its libraries', the number follows their versions.
 */
export const NUMERICS = {
  "kernel-native": "kernel-native-fma8-1",
  "kernel-wasm": "kernel-wasm-simd128-1",
  reference: "reference-f64-1",
  tfjs: 1,
} as const;

/** Before there were numerics versions, records named the build, by digest. Those whose bytes are the ones of a version. */
export const OLD_BUILDS: Readonly<Record<string, readonly string[]>> = {
  "kernel-native-fma8-1": ["kernel-native-fma8-372ad758e682"],
  "kernel-wasm-simd128-1": ["kernel-wasm-simd128-e9ce3d2a0dc8"],
  "reference-f64-1": ["reference-f64"],
};
