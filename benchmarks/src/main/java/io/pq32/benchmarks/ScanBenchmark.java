package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** What it costs to sum up one code of a scan, and to tell the best of them. */
public class ScanBenchmark extends KernelBenchmark {
  /** Codes of one call; the next call goes on behind them. */
  static final int WINDOW = 160 * PqKernels.BLOCK_SIZE;

  /** Blocks of one call of {@link #scanBlocks}. */
  private static final int CALL = 4;

  /** All codes, rounded down to windows: within the second cache, within the third, in neither. */
  @Param({"10240", "102400", "4096000"})
  public int count;

  private PqKernels chosen;
  private MemorySegment codes;
  private byte[] levels;
  private final short[] sums = new short[WINDOW];
  private final int[] order = new int[WINDOW / PqKernels.BLOCK_SIZE];
  private final long[] above = new long[CALL];
  private int threshold;
  private int window;

  /** Draws codes and a table. */
  @Setup
  public void draw() {
    Random random = new Random(42);
    chosen = kernels();
    levels = levels(random);
    int windows = count / WINDOW;
    codes = Arena.ofAuto().allocate((long) windows * WINDOW * SUB_QUANTIZERS, 64);
    MemorySegment one = MemorySegment.ofArray(bytes(random, WINDOW * SUB_QUANTIZERS));
    for (int i = 0; i < windows; i++) {
      codes.asSlice(i * one.byteSize(), one.byteSize()).copyFrom(one);
    }
    for (int i = 0; i < order.length; i++) {
      order[i] = i * 77 % order.length; // each block once
    }
    window = 0;
    // Of normally distributed sums, 1 in 1000 is 3.1 deviations above the mean.
    double deviation = PqKernels.MAX_LEVEL / Math.sqrt(12) * Math.sqrt(SUB_QUANTIZERS);
    threshold = (int) (PqKernels.MAX_LEVEL / 2.0 * SUB_QUANTIZERS + 3.1 * deviation);
  }

  /** Sums of one window. */
  @Benchmark
  @OperationsPerInvocation(WINDOW)
  public short[] scan() {
    long offset = (long) window * WINDOW * SUB_QUANTIZERS;
    window = (window + 1) % (count / WINDOW);
    chosen.scan(codes, offset, WINDOW / PqKernels.BLOCK_SIZE, SUB_QUANTIZERS, levels, sums);
    return sums;
  }

  /**
   * The same in calls of four blocks, in an order of their own, counting the best in a thousand.
   */
  @Benchmark
  @OperationsPerInvocation(WINDOW)
  public int scanBlocks() {
    long offset = (long) window * WINDOW * SUB_QUANTIZERS;
    window = (window + 1) % (count / WINDOW);
    int found = 0;
    for (int first = 0; first < order.length; first += CALL) {
      chosen.scanBlocks(
          codes, offset, order, first, CALL, SUB_QUANTIZERS, levels, threshold, sums, above);
      for (long good : above) {
        found += Long.bitCount(good);
      }
    }
    return found;
  }
}
