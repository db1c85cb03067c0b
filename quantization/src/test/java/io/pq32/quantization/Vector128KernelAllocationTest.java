package io.pq32.quantization;

class Vector128KernelAllocationTest extends KernelAllocation {
  Vector128KernelAllocationTest() {
    super(VectorPqKernels.ofWidth(128));
  }
}
