package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

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
 * <p>Codes gather around leaders, which k-means finds in two steps on a sample of the codes: some
 * groups first, then the leaders of each. (In one step it takes five times as long for the same
 * order.) The leaders are put in a chain, each next to the nearest one left. Nothing but codes is
 * read, so the order of merged segments needs no vectors either.
 */
final class LocalityOrder {
  /** Codes per leader: about a block, of which more would make its ends strangers. */
  private static final int CODES_PER_LEADER = PqKernels.BLOCK_SIZE;

  /** Most leaders: each is compared with every code, six seconds' work for a million codes. */
  private static final int MAX_LEADERS = 4096;

  /**
   * Codes of the sample per leader, and rounds over them. On text-768, reading 30 % of the blocks
   * finds .956 of the ten nearest; .952 with half the sample and 6 rounds.
   */
  private static final int SAMPLE_PER_LEADER = 64;

  private static final int ROUNDS = 8;
  private static final long SEED = 0x0bde;

  private LocalityOrder() {}

  /**
   * Computes the order, which depends on the codes alone.
   *
   * @param codes {@code [ord][subQuantizer]}
   * @param size of them, at least 1
   * @return ordinal of each node, ascending within each block of 64
   */
  static int[] nodeToOrd(
      ProductQuantizer quantizer, MemorySegment codes, int size, CooperativeTasks tasks) {
    int leaderCount = Math.min(MAX_LEADERS, Math.ceilDiv(size, CODES_PER_LEADER));
    int[] sample = PqTrainer.sample(size, leaderCount * SAMPLE_PER_LEADER, SEED);
    float[] leaders = leaders(quantizer, codes, sample, leaderCount, tasks);
    CodeClusters clusters = new CodeClusters(quantizer, leaders, tasks);
    int[] groups = new int[size];
    clusters.assign(codes, groups);
    int[] places = clusters.chain();
    for (int ord = 0; ord < size; ord++) {
      groups[ord] = places[groups[ord]];
    }
    int[] nodeToOrd = sorted(groups, starts(groups, clusters.count()));
    for (int first = 0; first < size; first += PqKernels.BLOCK_SIZE) {
      Arrays.sort(nodeToOrd, first, Math.min(size, first + PqKernels.BLOCK_SIZE));
    }
    return nodeToOrd;
  }

  private static float[] leaders(
      ProductQuantizer quantizer,
      MemorySegment codes,
      int[] sample,
      int leaderCount,
      CooperativeTasks tasks) {
    byte[] rows = rows(codes, sample, quantizer.layout().codeBytes());
    int groupCount = (int) Math.round(Math.sqrt(leaderCount));
    CodeClusters coarse = CodeClusters.train(quantizer, rows, groupCount, ROUNDS, tasks);
    int[] groups = new int[sample.length];
    coarse.assign(MemorySegment.ofArray(rows), groups);
    int[] starts = starts(groups, groupCount);
    int[] byGroup = sorted(groups, starts.clone());
    float[][] leaders = new float[groupCount][];
    tasks.run(
        groupCount,
        group -> {
          int[] members = Arrays.copyOfRange(byGroup, starts[group], starts[group + 1]);
          int share = (int) Math.ceilDiv((long) members.length * leaderCount, sample.length);
          leaders[group] =
              CodeClusters.train(
                      quantizer,
                      rows(MemorySegment.ofArray(rows), members, quantizer.layout().codeBytes()),
                      share,
                      ROUNDS,
                      CooperativeTasks.CALLER_ONLY)
                  .leaders();
        });
    int length = Arrays.stream(leaders).mapToInt(group -> group.length).sum();
    float[] all = new float[length];
    int position = 0;
    for (float[] group : leaders) {
      System.arraycopy(group, 0, all, position, group.length);
      position += group.length;
    }
    return all;
  }

  private static byte[] rows(MemorySegment codes, int[] chosen, int codeBytes) {
    byte[] rows = new byte[chosen.length * codeBytes];
    for (int i = 0; i < chosen.length; i++) {
      long from = (long) chosen[i] * codeBytes;
      MemorySegment.copy(codes, JAVA_BYTE, from, rows, i * codeBytes, codeBytes);
    }
    return rows;
  }

  /** Where each group starts when its members stand together, and where the last one ends. */
  private static int[] starts(int[] groups, int groupCount) {
    int[] starts = new int[groupCount + 1];
    for (int group : groups) {
      starts[group + 1]++;
    }
    for (int i = 0; i < groupCount; i++) {
      starts[i + 1] += starts[i];
    }
    return starts;
  }

  /** Members group by group, ascending in each. */
  private static int[] sorted(int[] groups, int[] starts) {
    int[] sorted = new int[groups.length];
    for (int i = 0; i < groups.length; i++) {
      sorted[starts[groups[i]]++] = i;
    }
    return sorted;
  }
}
