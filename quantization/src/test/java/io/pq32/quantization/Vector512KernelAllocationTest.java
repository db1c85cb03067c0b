package io.pq32.quantization;

class Vector512KernelAllocationTest extends KernelAllocation {
  Vector512KernelAllocationTest() {
    super(VectorPqKernels.ofWidth(512));
  }
}
