package io.pq32.quantization;

import static io.pq32.quantization.PqKernels.BLOCK_SIZE;
import static io.pq32.quantization.PqKernels.CODEBOOK_SIZE;
import static io.pq32.quantization.PqKernelsTest.bytes;
import static io.pq32.quantization.PqKernelsTest.floats;
import static io.pq32.quantization.PqKernelsTest.levels;
import static io.pq32.quantization.PqKernelsTest.shorts;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Do the kernels of one width allocate once they are compiled? Each width runs in a JVM of its own,
 * as it does in use: what ran before, with other sizes and widths, changes what the compiler makes
 * of the loops. (After those of 128 bits, those of 256 boxed vectors in three runs of ten on a busy
 * machine; alone in none of eight.)
 */
@ExtendWith(SeededRandom.class)
abstract class KernelAllocation {
  private final PqKernels kernels;

  KernelAllocation(PqKernels kernels) {
    this.kernels = kernels;
  }

  @Test
  void allocatesNothing(Random random) {
    int subQuantizers = 32;
    int subDimension = 8;
    byte[] levels = levels(random, subQuantizers);
    byte[] bytes = new byte[4 * BLOCK_SIZE * subQuantizers];
    random.nextBytes(bytes);
    MemorySegment codes = MemorySegment.ofArray(bytes);
    short[] sums = new short[4 * BLOCK_SIZE];
    int[] blocks = {3, 0, 2};
    long[] above = new long[3];
    int[] ords = IntStream.range(0, BLOCK_SIZE).toArray();
    byte[] scratch = new byte[BLOCK_SIZE * subQuantizers];
    float[] vector = floats(random, subQuantizers * subDimension);
    float[] codebooks = floats(random, subQuantizers * subDimension * CODEBOOK_SIZE);
    float[] table = new float[subQuantizers * CODEBOOK_SIZE];
    float[] minima = new float[subQuantizers];
    byte[] code = new byte[subQuantizers];
    float[] out = new float[4 * 256];
    short[] integers = shorts(random, 64 * 192);
    byte[] centroids = bytes(random, codebooks.length);
    assertAllocatesNothing("scan", () -> kernels.scan(codes, 0, 4, subQuantizers, levels, sums));
    assertAllocatesNothing(
        "score",
        () -> kernels.score(codes, 0, ords, BLOCK_SIZE, subQuantizers, levels, scratch, sums));
    assertAllocatesNothing(
        "scanBlocks",
        () -> kernels.scanBlocks(codes, 0, blocks, 0, 3, subQuantizers, levels, 2000, sums, above));
    assertAllocatesNothing(
        "innerProducts",
        () -> kernels.innerProducts(vector, centroids, subQuantizers, subDimension, table));
    assertAllocatesNothing(
        "nearest",
        () -> kernels.nearest(vector, 0, 8, 32, codebooks, 0, subDimension, table, 0, code, 0, 1));
    float[] errors = new float[32];
    byte[] codes32 = new byte[32];
    assertAllocatesNothing(
        "refine",
        () ->
            kernels.refine(
                vector,
                vector,
                0,
                8,
                32,
                codebooks,
                0,
                subDimension,
                table,
                0,
                1.5f,
                errors,
                codes32,
                0,
                1));
    assertAllocatesNothing(
        "quantize", () -> kernels.quantize(table, subQuantizers, minima, levels));
    assertAllocatesNothing(
        "multiplyIntegers",
        () -> kernels.multiplyIntegers(vector, 0, .5f, 64, integers, 192, table, out, 0));
    assertAllocatesNothing("dot", () -> kernels.dot(codebooks, 0, table, 1, 777));
    assertAllocatesNothing(
        "multiplyAdd", () -> kernels.multiplyAdd(codebooks, 0, 4, 32, codebooks, 256, out, 0));
  }

  /**
   * Before the compiler has seen a loop, vectors are objects: warm up until they are gone. How long
   * that takes depends on what else the machine compiles and runs, so only a minute of this
   * thread's own time without success fails.
   */
  private static void assertAllocatesNothing(String kernel, Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = Long.MAX_VALUE;
    long deadline = threads.getCurrentThreadCpuTime() + 60_000_000_000L;
    while (allocated > 0 && threads.getCurrentThreadCpuTime() < deadline) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 200; i++) {
        call.run();
      }
      allocated = threads.getCurrentThreadAllocatedBytes() - before;
    }
    assertEquals(0, allocated, kernel + " allocates in each of its last 200 calls");
  }
}
