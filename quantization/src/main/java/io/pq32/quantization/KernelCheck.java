package io.pq32.quantization;

import static io.pq32.quantization.PqKernels.BLOCK_SIZE;
import static io.pq32.quantization.PqKernels.CODEBOOK_SIZE;
import static io.pq32.quantization.PqKernels.MAX_LEVEL;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;

/** Do kernels compute, and as fast as they should, on this machine? */
final class KernelCheck {
  private static final int SUB_QUANTIZERS = 16;
  private static final int SUB_DIMENSION = 4;

  private KernelCheck() {}

  /**
   * How long two ways to look up {@value PqKernels#BLOCK_SIZE} centroids took at best.
   *
   * @param selection nanoseconds in registers
   * @param loop nanoseconds one by one
   */
  record Race(long selection, long loop) {
    boolean won() {
      return 2 * selection < loop;
    }

    @Override
    public String toString() {
      return selection + " ns, one by one " + loop + " ns";
    }
  }

  /** Times lookups until those in registers win, or for {@code nanos}. */
  static Race raceSelection(long nanos) {
    byte[] levels = levels(new Random(1), 1);
    byte[] centroids = bytes(new Random(2), BLOCK_SIZE);
    byte[] out = new byte[BLOCK_SIZE];
    int calls = 20;
    Race race = new Race(Long.MAX_VALUE / 2, Long.MAX_VALUE / 2);
    long end = System.nanoTime() + nanos;
    do {
      long start = System.nanoTime();
      for (int i = 0; i < calls; i++) {
        VectorLookup512.lookUp(centroids, levels, out);
      }
      long middle = System.nanoTime();
      for (int i = 0; i < calls; i++) {
        lookUp(centroids, levels, out);
      }
      long stop = System.nanoTime();
      race =
          new Race(
              Math.min(race.selection, (middle - start) / calls),
              Math.min(race.loop, (stop - middle) / calls));
    } while (!race.won() && System.nanoTime() < end);
    return race;
  }

  private static void lookUp(byte[] centroids, byte[] levels, byte[] out) {
    for (int i = 0; i < BLOCK_SIZE; i++) {
      out[i] = levels[centroids[i] & 0xFF];
    }
  }

  /** The name of the first kernel whose result differs from its definition, null when all agree. */
  static String firstDifference(PqKernels kernels) {
    PqKernels definition = new ScalarPqKernels();
    for (Sample sample : samples()) {
      if (!Objects.deepEquals(sample.run.apply(definition), sample.run.apply(kernels))) {
        return sample.kernel;
      }
    }
    return null;
  }

  /** One call of a kernel on a small input; gives what it computed. */
  private record Sample(String kernel, Function<PqKernels, Object> run) {}

  /** Floats are small integers: no rounding hides a difference, and centroids tie. */
  private static List<Sample> samples() {
    Random random = new Random(3);
    float[] vector = integers(random, SUB_QUANTIZERS * SUB_DIMENSION);
    float[] codebooks = integers(random, vector.length * CODEBOOK_SIZE);
    float[] halfNorms = integers(random, CODEBOOK_SIZE);
    byte[] centroids = bytes(random, vector.length * CODEBOOK_SIZE);
    short[] integers = new short[5 * 112];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (short) random.nextInt(-511, 512);
    }
    byte[] levels = levels(random, SUB_QUANTIZERS);
    MemorySegment codes = MemorySegment.ofArray(bytes(random, 2 * BLOCK_SIZE * SUB_QUANTIZERS));
    int[] ords = random.ints(BLOCK_SIZE, 0, BLOCK_SIZE).toArray();
    return List.of(
        new Sample("dot", kernels -> kernels.dot(codebooks, 0, codebooks, 1, 70)),
        new Sample(
            "multiplyAdd",
            kernels -> {
              float[] out = new float[5 * 150];
              kernels.multiplyAdd(vector, 0, 5, 3, codebooks, 150, out, 0);
              return out;
            }),
        new Sample(
            "multiplyIntegers",
            kernels -> {
              float[] out = new float[1 + 112];
              kernels.multiplyIntegers(vector, 1, .5f, 5, integers, 112, codebooks, out, 1);
              return out;
            }),
        new Sample(
            "innerProducts",
            kernels -> {
              float[] out = new float[2 * CODEBOOK_SIZE];
              kernels.innerProducts(vector, centroids, 2, SUB_DIMENSION, out);
              return out;
            }),
        new Sample(
            "nearest",
            kernels -> {
              byte[] out = new byte[2];
              kernels.nearest(
                  vector, 0, 5, 2, codebooks, 1, SUB_DIMENSION, halfNorms, 0, out, 0, 1);
              return out;
            }),
        new Sample(
            "refine",
            kernels -> {
              byte[] out = {7, 8};
              float[] errors = {2, -3};
              kernels.refine(
                  vector,
                  codebooks,
                  0,
                  5,
                  2,
                  codebooks,
                  1,
                  SUB_DIMENSION,
                  halfNorms,
                  0,
                  1.5f,
                  errors,
                  out,
                  0,
                  1);
              return new Object[] {out, errors};
            }),
        new Sample(
            "quantize",
            kernels -> {
              byte[] out = new byte[2 * CODEBOOK_SIZE];
              float[] minima = new float[2];
              float scale = kernels.quantize(codebooks, 2, minima, out);
              return new Object[] {out, minima, scale};
            }),
        new Sample(
            "scan",
            kernels -> {
              short[] out = new short[2 * BLOCK_SIZE];
              kernels.scan(codes, 0, 2, SUB_QUANTIZERS, levels, out);
              return out;
            }),
        new Sample(
            "score",
            kernels -> {
              short[] out = new short[BLOCK_SIZE];
              byte[] scratch = new byte[BLOCK_SIZE * SUB_QUANTIZERS];
              kernels.score(codes, 0, ords, BLOCK_SIZE, SUB_QUANTIZERS, levels, scratch, out);
              return out;
            }),
        new Sample(
            "scanBlocks",
            kernels -> {
              short[] out = new short[3 * BLOCK_SIZE];
              long[] above = new long[3];
              int[] blocks = {1, 1, 0, 1};
              int threshold = SUB_QUANTIZERS * MAX_LEVEL / 2;
              kernels.scanBlocks(
                  codes, 0, blocks, 1, 3, SUB_QUANTIZERS, levels, threshold, out, above);
              return new Object[] {out, above};
            }));
  }

  private static byte[] levels(Random random, int subQuantizers) {
    byte[] levels = bytes(random, subQuantizers * CODEBOOK_SIZE);
    for (int i = 0; i < levels.length; i++) {
      levels[i] &= MAX_LEVEL;
    }
    return levels;
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static float[] integers(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextInt(-3, 4);
    }
    return values;
  }
}
