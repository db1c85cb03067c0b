package io.pq32.quantization;

class Vector256KernelAllocationTest extends KernelAllocation {
  Vector256KernelAllocationTest() {
    super(VectorPqKernels.ofWidth(256));
  }
}
