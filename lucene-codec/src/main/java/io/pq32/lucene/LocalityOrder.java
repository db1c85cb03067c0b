package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqTrainer;
import io.pq32.quantization.ProductQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * In which order are vectors made nodes? Near ones next to each other. A block of 64 nodes then is
 * a small cluster, which a scan can leave out; nodes near each other in a graph share cache lines
 * and pages, and neighbor lists take fewer bytes.
 *
 * <p>Codes gather around leaders, found by k-means on a sample of the codes themselves (Lloyd's
 * algorithm, the mean of some codes being that of the points they stand for); the leaders are put
 * in a chain, each next to the nearest one left. Nothing but codes is read, so the order of merged
 * segments needs no vectors either.
 */
final class LocalityOrder {
  /** Codes per leader: about a block, of which more would make its ends strangers. */
  private static final int GROUP_SIZE = PqKernels.BLOCK_SIZE;

  /** Most leaders: each is compared with every code. At a million codes that takes two seconds. */
  private static final int MAX_LEADERS = 2048;

  /**
   * Codes of the sample per leader, and rounds over them. On text-768, reading 30 % of the blocks
   * finds .962 of the ten nearest with 64 codes and 8 rounds, and .943 with 16 and 4.
   */
  private static final int SAMPLE_PER_LEADER = 32;

  private static final int ROUNDS = 6;

  private static final int CHUNK_BLOCKS = 32;
  private static final int CHUNK = CHUNK_BLOCKS * PqKernels.BLOCK_SIZE;
  private static final long SEED = 0x0bde;

  private final ProductQuantizer quantizer;
  private final int codeBytes;
  private final CooperativeTasks tasks;
  private final int leaderCount;
  private final float[] leaders; // [leader][projectedDimension]
  private final byte[][] levels; // [leader][subQuantizer][centroid]
  private final int[] factors; // [leader], make sums of levels comparable: see weigh()
  private final int[] offsets; // [leader]

  private LocalityOrder(ProductQuantizer quantizer, int leaderCount, CooperativeTasks tasks) {
    this.quantizer = quantizer;
    this.codeBytes = quantizer.layout().codeBytes();
    this.tasks = tasks;
    this.leaderCount = leaderCount;
    this.leaders = new float[leaderCount * quantizer.layout().projectedDimension()];
    this.levels = new byte[leaderCount][];
    this.factors = new int[leaderCount];
    this.offsets = new int[leaderCount];
  }

  /**
   * Computes the order, which depends on the codes alone.
   *
   * @param codes {@code [ord][subQuantizer]}
   * @param size of them, at least 1
   * @return ordinal of each node, ascending within each block of 64
   */
  static int[] nodeToOrd(
      ProductQuantizer quantizer, MemorySegment codes, int size, CooperativeTasks tasks) {
    int leaderCount = Math.min(MAX_LEADERS, Math.ceilDiv(size, GROUP_SIZE));
    LocalityOrder order = new LocalityOrder(quantizer, leaderCount, tasks);
    order.findLeaders(codes, size);
    int[] groups = new int[size];
    order.assign(codes, size, groups);
    int[] places = order.chain();
    for (int ord = 0; ord < size; ord++) {
      groups[ord] = places[groups[ord]];
    }
    int[] nodeToOrd = countingSort(groups, leaderCount);
    for (int first = 0; first < size; first += PqKernels.BLOCK_SIZE) {
      Arrays.sort(nodeToOrd, first, Math.min(size, first + PqKernels.BLOCK_SIZE));
    }
    return nodeToOrd;
  }

  private void findLeaders(MemorySegment codes, int size) {
    int[] ords = PqTrainer.sample(size, leaderCount * SAMPLE_PER_LEADER, SEED);
    byte[] sample = new byte[ords.length * codeBytes];
    for (int i = 0; i < ords.length; i++) {
      long from = (long) ords[i] * codeBytes;
      MemorySegment.copy(codes, JAVA_BYTE, from, sample, i * codeBytes, codeBytes);
    }
    int dimension = quantizer.layout().projectedDimension();
    for (int leader = 0; leader < leaderCount; leader++) {
      int i = (int) ((long) leader * ords.length / leaderCount);
      quantizer.addDecodedTo(sample, i * codeBytes, leaders, leader * dimension);
    }
    fillTables();
    int[] groups = new int[ords.length];
    for (int round = 0; round < ROUNDS; round++) {
      assign(MemorySegment.ofArray(sample), ords.length, groups);
      moveLeaders(sample, groups);
      fillTables();
    }
  }

  /** Moves each leader to the mean of its group; one without a group stays where it is. */
  private void moveLeaders(byte[] sample, int[] groups) {
    int dimension = quantizer.layout().projectedDimension();
    float[] sums = new float[leaders.length];
    int[] counts = new int[leaderCount];
    for (int i = 0; i < groups.length; i++) {
      quantizer.addDecodedTo(sample, i * codeBytes, sums, groups[i] * dimension);
      counts[groups[i]]++;
    }
    for (int leader = 0; leader < leaderCount; leader++) {
      if (counts[leader] > 0) {
        for (int i = leader * dimension; i < (leader + 1) * dimension; i++) {
          leaders[i] = sums[i] / counts[leader];
        }
      }
    }
  }

  private void fillTables() {
    double[] floors = new double[leaderCount];
    double[] steps = new double[leaderCount];
    int dimension = quantizer.layout().projectedDimension();
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
   * code's groups are told apart by is then one comparison of integers, which the compiler does
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

  /** Finds the nearest leader of every code. */
  private void assign(MemorySegment codes, int size, int[] groups) {
    tasks.run(
        Math.ceilDiv(size, CHUNK),
        task -> assign(codes, task * CHUNK, Math.min(CHUNK, size - task * CHUNK), groups));
  }

  private void assign(MemorySegment codes, int first, int count, int[] groups) {
    byte[] blocks = blocks(codes, first, count);
    short[] sums = new short[CHUNK];
    int[] best = new int[CHUNK];
    int blockCount = Math.ceilDiv(count, PqKernels.BLOCK_SIZE);
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
    byte[] blocks = new byte[CHUNK_BLOCKS * rows.length];
    for (int i = 0; i < count; i += PqKernels.BLOCK_SIZE) {
      int inBlock = Math.min(PqKernels.BLOCK_SIZE, count - i) * codeBytes;
      MemorySegment.copy(codes, JAVA_BYTE, (long) (first + i) * codeBytes, rows, 0, inBlock);
      BlocksWriter.transpose(rows, codeBytes, blocks, i * codeBytes);
    }
    return blocks;
  }

  /** The lowest bits of a score give way to the number of the leader. */
  private static void keepBest(short[] sums, int factor, int offset, int leader, int[] best) {
    for (int i = 0; i < CHUNK; i++) {
      best[i] = Math.max(best[i], sums[i] * factor + offset & -MAX_LEADERS | leader);
    }
  }

  /**
   * Puts leaders in a chain that goes to the nearest one left, time and again.
   *
   * @return place of each leader in the chain
   */
  private int[] chain() {
    byte[] rows = new byte[leaderCount * codeBytes];
    int dimension = quantizer.layout().projectedDimension();
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

  private static int[] countingSort(int[] groups, int groupCount) {
    int[] starts = new int[groupCount + 1];
    for (int group : groups) {
      starts[group + 1]++;
    }
    for (int i = 0; i < groupCount; i++) {
      starts[i + 1] += starts[i];
    }
    int[] sorted = new int[groups.length];
    for (int ord = 0; ord < groups.length; ord++) {
      sorted[starts[groups[ord]]++] = ord;
    }
    return sorted;
  }
}
