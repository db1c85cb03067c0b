package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What all measurements of one kernel share: which implementation runs it, at the layout of a
 * 32-byte code. Results are nanoseconds per vector.
 *
 * <p>Vectors take the compiler longer to reach than plain loops, hence the long warm-up.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public abstract class KernelBenchmark {
  static final int SUB_QUANTIZERS = 32;

  /** Dimensions of a projected vector, of this many dimensions or more. */
  static final int PROJECTED_DIMENSION = 192;

  static final int SUB_DIMENSION = PROJECTED_DIMENSION / SUB_QUANTIZERS;

  /** Name of the kernels; vector is this machine's preferred register width. */
  @Param({"scalar", "vector"})
  public String kernels;

  PqKernels kernels() {
    return PqKernels.named(kernels);
  }

  static float[] gaussians(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** A quantized table, random. */
  static byte[] levels(Random random) {
    byte[] levels = bytes(random, SUB_QUANTIZERS * PqKernels.CODEBOOK_SIZE);
    for (int i = 0; i < levels.length; i++) {
      levels[i] &= PqKernels.MAX_LEVEL;
    }
    return levels;
  }
}
