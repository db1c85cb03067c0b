package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.util.Arrays;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;

/**
 * What it costs to find the 32 nearest centroids of a projected vector, and to choose them again so
 * that errors along the vector make up for each other.
 */
public class EncodeBenchmark extends KernelBenchmark {
  private static final int VECTORS = 64;

  private PqKernels chosen;
  private float[] vectors;
  private float[] codebooks;
  private float[] halfNorms;
  private final byte[] codes = new byte[VECTORS * SUB_QUANTIZERS];
  private final float[] errors = new float[VECTORS];

  /** Draws vectors and centroids. */
  @Setup
  public void draw() {
    Random random = new Random(42);
    chosen = kernels();
    vectors = gaussians(random, VECTORS * PROJECTED_DIMENSION);
    codebooks = gaussians(random, PROJECTED_DIMENSION * PqKernels.CODEBOOK_SIZE);
    halfNorms = new float[SUB_QUANTIZERS * PqKernels.CODEBOOK_SIZE];
    for (int i = 0; i < codebooks.length; i++) {
      int m = i / (SUB_DIMENSION * PqKernels.CODEBOOK_SIZE);
      halfNorms[m * PqKernels.CODEBOOK_SIZE + i % PqKernels.CODEBOOK_SIZE] +=
          0.5f * codebooks[i] * codebooks[i];
    }
  }

  /** Codes of a batch, one sub-quantizer after the other. */
  @Benchmark
  @OperationsPerInvocation(VECTORS)
  public byte[] encode() {
    for (int m = 0; m < SUB_QUANTIZERS; m++) {
      chosen.nearest(
          vectors,
          m * SUB_DIMENSION,
          PROJECTED_DIMENSION,
          VECTORS,
          codebooks,
          m * SUB_DIMENSION * PqKernels.CODEBOOK_SIZE,
          SUB_DIMENSION,
          halfNorms,
          m * PqKernels.CODEBOOK_SIZE,
          codes,
          m,
          SUB_QUANTIZERS);
    }
    return codes;
  }

  /** One pass over the centroids of a batch, starting from whatever they are. */
  @Benchmark
  @OperationsPerInvocation(VECTORS)
  public byte[] refine() {
    Arrays.fill(errors, 0.1f);
    for (int m = 0; m < SUB_QUANTIZERS; m++) {
      chosen.refine(
          vectors,
          vectors,
          m * SUB_DIMENSION,
          PROJECTED_DIMENSION,
          VECTORS,
          codebooks,
          m * SUB_DIMENSION * PqKernels.CODEBOOK_SIZE,
          SUB_DIMENSION,
          halfNorms,
          m * PqKernels.CODEBOOK_SIZE,
          1.5f / PROJECTED_DIMENSION,
          errors,
          codes,
          m,
          SUB_QUANTIZERS);
    }
    return codes;
  }
}
