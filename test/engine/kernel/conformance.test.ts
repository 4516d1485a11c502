import { createNativeKernel, nativeKernelLanes, nativeKernelProblem } from "../../../src/engine/kernel/native.js";
import { createWasmKernel } from "../../../src/engine/kernel/wasm.js";
import { conformance, F32 } from "../conformance.js";

if (nativeKernelProblem()) console.log(`SKIPPED: native kernel in the conformance suite: ${nativeKernelProblem()}`);
for (const lanes of nativeKernelLanes()) {
  conformance(`kernel-native, ${lanes} lanes`, (options) => createNativeKernel(options, lanes), F32);
}
conformance("kernel-wasm", createWasmKernel, F32);
