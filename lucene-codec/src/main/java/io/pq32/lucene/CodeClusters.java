package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Which of some leaders is each code nearest to? K-means on codes (Lloyd's algorithm, 1982): the
 * mean of some codes is that of the points they stand for, and a leader's table says how far it is
 * from 64 codes at once.
 */
final class CodeClusters {
  /** Most leaders: a score leaves so many numbers for who has it. */
  static final int MAX_LEADERS = 1 << 13;

  private static final int CHUNK_BLOCKS = 32;
  private static final int CHUNK = CHUNK_BLOCKS * PqKernels.BLOCK_SIZE;

  private final ProductQuantizer quantizer;
  private final int codeBytes;
  private final int dimension; // projected
  private final CooperativeTasks tasks;
  private final int leaderCount;
  private final float[] leaders; // [leader][dimension]
  private final byte[][] levels; // [leader][subQuantizer][centroid]
  private final int[] factors; // [leader], make sums of levels comparable: see weigh()
  private final int[] offsets; // [leader]

  /**
   * @param leaders points of the projected space, {@code [leader][projectedDimension]}, 1 to
   *     {@value #MAX_LEADERS}
   */
  CodeClusters(ProductQuantizer quantizer, float[] leaders, CooperativeTasks tasks) {
    this.quantizer = quantizer;
    this.codeBytes = quantizer.layout().codeBytes();
    this.dimension = quantizer.layout().projectedDimension();
    this.tasks = tasks;
    this.leaders = leaders;
    this.leaderCount = leaders.length / dimension;
    this.levels = new byte[leaderCount][];
    this.factors = new int[leaderCount];
    this.offsets = new int[leaderCount];
    fillTables();
  }

  /**
   * Finds leaders of some codes, starting from evenly spaced ones.
   *
   * @param codes {@code [code][subQuantizer]}
   * @param leaderCount at most as many as codes
   */
  static CodeClusters train(
      ProductQuantizer quantizer,
      byte[] codes,
      int leaderCount,
      int rounds,
      CooperativeTasks tasks) {
    int codeBytes = quantizer.layout().codeBytes();
    int dimension = quantizer.layout().projectedDimension();
    int count = codes.length / codeBytes;
    float[] leaders = new float[leaderCount * dimension];
    for (int leader = 0; leader < leaderCount; leader++) {
      int code = (int) ((long) leader * count / leaderCount);
      quantizer.addDecodedTo(codes, code * codeBytes, leaders, leader * dimension);
    }
    CodeClusters clusters = new CodeClusters(quantizer, leaders, tasks);
    int[] groups = new int[count];
    for (int round = 0; round < rounds; round++) {
      clusters.assign(MemorySegment.ofArray(codes), groups);
      clusters.moveLeaders(codes, groups);
    }
    return clusters;
  }

  int count() {
    return leaderCount;
  }

  /** Points of the projected space, {@code [leader][projectedDimension]}. */
  float[] leaders() {
    return leaders;
  }

  /** Moves each leader to the mean of its group; one without a group stays where it is. */
  private void moveLeaders(byte[] codes, int[] groups) {
    float[] sums = new float[leaders.length];
    int[] counts = new int[leaderCount];
    for (int i = 0; i < groups.length; i++) {
      quantizer.addDecodedTo(codes, i * codeBytes, sums, groups[i] * dimension);
      counts[groups[i]]++;
    }
    for (int leader = 0; leader < leaderCount; leader++) {
      if (counts[leader] > 0) {
        for (int i = leader * dimension; i < (leader + 1) * dimension; i++) {
          leaders[i] = sums[i] / counts[leader];
        }
      }
    }
    fillTables();
  }

  private void fillTables() {
    double[] floors = new double[leaderCount];
    double[] steps = new double[leaderCount];
    tasks.run(
        Math.ceilDiv(leaderCount, PqKernels.BLOCK_SIZE),
        task -> {
          AdcTable table = quantizer.newTable();
          int end = Math.min(leaderCount, (task + 1) * PqKernels.BLOCK_SIZE);
          for (int leader = task * PqKernels.BLOCK_SIZE; leader < end; leader++) {
            table.fillProjected(leaders, leader * dimension);
            levels[leader] = table.levels().clone();
            floors[leader] = table.floor();
            steps[leader] = table.step();
          }
        });
    weigh(floors, steps);
  }

  /**
   * Scales the scores of all leaders to integers below 2^31: {@code sum * factor + offset}. What a
   * code's leaders are told apart by is then one comparison of integers, which the compiler does
   * sixteen at a time.
   */
  private void weigh(double[] floors, double[] steps) {
    int maxSum = codeBytes * PqKernels.MAX_LEVEL;
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (int leader = 0; leader < leaderCount; leader++) {
      least = Math.min(least, floors[leader]);
      most = Math.max(most, floors[leader] + maxSum * steps[leader]);
    }
    double scale = most > least ? 0x1.fffp30 / (most - least) : 0;
    for (int leader = 0; leader < leaderCount; leader++) {
      factors[leader] = (int) (scale * steps[leader]);
      offsets[leader] = (int) (scale * (floors[leader] - least));
    }
  }

  /**
   * Finds the nearest leader of every code.
   *
   * @param codes {@code [code][subQuantizer]}
   * @param groups receives the leader of each code, as many as there are
   */
  void assign(MemorySegment codes, int[] groups) {
    tasks.run(
        Math.ceilDiv(groups.length, CHUNK),
        task -> assign(codes, task * CHUNK, Math.min(CHUNK, groups.length - task * CHUNK), groups));
  }

  private void assign(MemorySegment codes, int first, int count, int[] groups) {
    int blockCount = Math.ceilDiv(count, PqKernels.BLOCK_SIZE);
    byte[] blocks = blocks(codes, first, count);
    short[] sums = new short[blockCount * PqKernels.BLOCK_SIZE];
    int[] best = new int[sums.length];
    MemorySegment segment = MemorySegment.ofArray(blocks);
    for (int leader = 0; leader < leaderCount; leader++) {
      PqKernels.instance().scan(segment, 0, blockCount, codeBytes, levels[leader], sums);
      keepBest(sums, factors[leader], offsets[leader], leader, best);
    }
    for (int i = 0; i < count; i++) {
      groups[first + i] = best[i] & MAX_LEADERS - 1;
    }
  }

  private byte[] blocks(MemorySegment codes, int first, int count) {
    byte[] rows = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    byte[] blocks = new byte[Math.ceilDiv(count, PqKernels.BLOCK_SIZE) * rows.length];
    for (int i = 0; i < count; i += PqKernels.BLOCK_SIZE) {
      int inBlock = Math.min(PqKernels.BLOCK_SIZE, count - i) * codeBytes;
      MemorySegment.copy(codes, JAVA_BYTE, (long) (first + i) * codeBytes, rows, 0, inBlock);
      BlocksWriter.transpose(rows, codeBytes, blocks, i * codeBytes);
    }
    return blocks;
  }

  /** The lowest bits of a score give way to the number of the leader. */
  private static void keepBest(short[] sums, int factor, int offset, int leader, int[] best) {
    for (int i = 0; i < best.length; i++) {
      best[i] = Math.max(best[i], sums[i] * factor + offset & -MAX_LEADERS | leader);
    }
  }

  /**
   * Puts leaders in a chain that goes to the nearest one left, time and again.
   *
   * @return place of each leader in the chain
   */
  int[] chain() {
    byte[] rows = new byte[leaderCount * codeBytes];
    for (int leader = 0; leader < leaderCount; leader++) {
      quantizer.encodeProjected(leaders, leader * dimension, rows, leader * codeBytes);
    }
    MemorySegment blocks =
        MemorySegment.ofArray(blocks(MemorySegment.ofArray(rows), 0, leaderCount));
    int blockCount = Math.ceilDiv(leaderCount, PqKernels.BLOCK_SIZE);
    short[] sums = new short[blockCount * PqKernels.BLOCK_SIZE];
    int[] places = new int[leaderCount];
    Arrays.fill(places, -1);
    int last = 0;
    for (int place = 0; place < leaderCount; place++) {
      places[last] = place;
      PqKernels.instance().scan(blocks, 0, blockCount, codeBytes, levels[last], sums);
      int nearest = -1;
      for (int leader = 0; leader < leaderCount; leader++) {
        if (places[leader] < 0 && (nearest < 0 || sums[leader] > sums[nearest])) {
          nearest = leader;
        }
      }
      last = nearest;
    }
    return places;
  }
}
