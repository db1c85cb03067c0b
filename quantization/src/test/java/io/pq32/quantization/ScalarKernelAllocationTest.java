package io.pq32.quantization;

class ScalarKernelAllocationTest extends KernelAllocation {
  ScalarKernelAllocationTest() {
    super(new ScalarPqKernels());
  }
}
