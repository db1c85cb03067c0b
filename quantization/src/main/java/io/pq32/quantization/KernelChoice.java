package io.pq32.quantization;

/** Which kernels does this JVM run? */
final class KernelChoice {
  static final PqKernels CHOSEN = new ScalarPqKernels();

  private KernelChoice() {}
}
