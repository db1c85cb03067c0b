package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.util.Arrays;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** What it costs to project a vector to 192 dimensions: as the only one, and in a batch. */
public class ProjectBenchmark extends KernelBenchmark {
  private static final int BATCH = 64;

  /** Dimensions of a vector. */
  @Param({"384", "768", "1536"})
  public int dimension;

  private PqKernels chosen;
  private float[] vectors;
  private float[] projection;
  private short[] integers;
  private float[] scales;
  private final float[] projected = new float[BATCH * PROJECTED_DIMENSION];

  /** Draws vectors and a projection. */
  @Setup
  public void draw() {
    Random random = new Random(42);
    chosen = kernels();
    vectors = gaussians(random, BATCH * dimension);
    projection = gaussians(random, dimension * PROJECTED_DIMENSION);
    // Twice the columns divided by 511 and rounded, of which the benchmark takes half.
    integers = new short[projection.length];
    scales = new float[PROJECTED_DIMENSION];
    for (int i = 0; i < projection.length; i++) {
      int column = i % PROJECTED_DIMENSION;
      scales[column] = Math.max(scales[column], Math.abs(projection[i]) * 2 / 511);
    }
    for (int i = 0; i < projection.length; i++) {
      integers[i] = (short) Math.rint(projection[i] * 2 / scales[i % PROJECTED_DIMENSION]);
    }
  }

  /** The first vector. */
  @Benchmark
  public float[] one() {
    return project(1);
  }

  /** The first vector by a matrix of integers. */
  @Benchmark
  public float[] oneByIntegers() {
    chosen.multiplyIntegers(
        vectors, 0, .5f, dimension, integers, PROJECTED_DIMENSION, scales, projected, 0);
    return projected;
  }

  /** All vectors. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public float[] batch() {
    return project(BATCH);
  }

  private float[] project(int count) {
    Arrays.fill(projected, 0, count * PROJECTED_DIMENSION, 0f);
    chosen.multiplyAdd(vectors, 0, count, dimension, projection, PROJECTED_DIMENSION, projected, 0);
    return projected;
  }
}
