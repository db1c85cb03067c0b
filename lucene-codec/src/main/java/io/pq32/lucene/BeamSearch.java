package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Walks a graph towards the codes with the largest sums, keeping the best {@code beamWidth} nodes
 * seen (Malkov and Yashunin 2018, algorithm 2, on one layer).
 *
 * <p>Several nodes are expanded at once so that the codes of their neighbors are fetched in one
 * batch: touching all codes first and computing then is five times as fast as one code after the
 * other, once the codes exceed the cache. Scratch of one thread; reused from search to search.
 */
final class BeamSearch {
  /** Nodes expanded per batch at most. More would follow nodes that the batch itself outdates. */
  private static final int MAX_EXPANDED = 4;

  /** Unvisited neighbors from which a batch is worth scoring. */
  private static final int BATCH_FILL = PqKernels.BLOCK_SIZE / 2;

  private static final long EXPANDED = 1L << 31;

  private final Adjacency graph;
  private final MemorySegment codes; // [node][subQuantizer]
  private final int codeBytes;
  private final long[] visited; // one bit per node
  private int[] touched = new int[4096]; // visited nodes, to clear their bits
  private int touchedCount;
  private final int[] neighbors;
  private final int[] pending;
  private int pendingCount;
  private final int[] batch = new int[PqKernels.BLOCK_SIZE];
  private final short[] sums = new short[PqKernels.BLOCK_SIZE];
  private final byte[] scratch;
  private long[] beam = new long[0]; // sum << 32 | expanded << 31 | node, descending
  private int beamWidth;
  private int beamSize;
  private int next; // no node before this one is left to expand

  BeamSearch(Adjacency graph, int size, MemorySegment codes, int codeBytes) {
    this.graph = graph;
    this.codes = codes;
    this.codeBytes = codeBytes;
    this.visited = new long[Math.ceilDiv(size, Long.SIZE)];
    this.neighbors = new int[graph.maxDegree()];
    this.pending = new int[BATCH_FILL + graph.maxDegree() + 1];
    this.scratch = new byte[PqKernels.BLOCK_SIZE * codeBytes];
  }

  /** What may end a walk early, and hears of its visits. */
  interface Visits {
    /** Called after each batch with the nodes scored; false ends the walk. */
    boolean proceed(int[] nodes, int count) throws IOException;

    /** Nodes that may still be visited, at least 1. */
    default long left() {
      return Long.MAX_VALUE;
    }
  }

  /** Forgets the last search. */
  void start(int width) {
    for (int i = 0; i < touchedCount; i++) {
      visited[touched[i] >>> 6] = 0;
    }
    touchedCount = 0;
    pendingCount = 0;
    beamWidth = width;
    beamSize = 0;
    next = 0;
    if (beam.length < width) {
      beam = new long[width];
    }
  }

  /** Offers a node to start from, with its sum. */
  void offer(int node, int sum) {
    if (visit(node)) {
      insert(node, sum);
    }
  }

  /**
   * Walks until none of the best {@code expandWidth} nodes, or of their equals, is left to expand,
   * or {@code visits} says stop.
   */
  void run(byte[] levels, int expandWidth, Visits visits) throws IOException {
    while (true) {
      int expanded = 0;
      while (expanded < MAX_EXPANDED && pendingCount < BATCH_FILL) {
        int end = endOfBest(expandWidth);
        while (next < end && (beam[next] & EXPANDED) != 0) {
          next++;
        }
        if (next >= end) {
          break;
        }
        int node = node(next);
        beam[next++] |= EXPANDED;
        expanded++;
        visitAll(graph.neighbors(node, neighbors));
      }
      if (expanded == 0) {
        return;
      }
      if (!scorePending(levels, visits)) {
        return;
      }
    }
  }

  /**
   * Where the best nodes end. Equals of the last one are as good: where levels tell vectors badly
   * apart, there may be many.
   */
  private int endOfBest(int expandWidth) {
    int end = Math.min(expandWidth, beamSize);
    while (end > 0 && end < beamSize && beam[end] >>> 32 == beam[end - 1] >>> 32) {
      end++;
    }
    return end;
  }

  private boolean scorePending(byte[] levels, Visits visits) throws IOException {
    boolean proceed = true;
    int count;
    for (int from = 0; proceed && from < pendingCount; from += count) {
      count = (int) Math.min(Math.min(batch.length, pendingCount - from), visits.left());
      System.arraycopy(pending, from, batch, 0, count);
      PqKernels.instance().score(codes, 0, batch, count, codeBytes, levels, scratch, sums);
      int threshold = threshold();
      for (int i = 0; i < count; i++) {
        if (sums[i] > threshold) {
          insert(batch[i], sums[i]);
          threshold = threshold();
        }
      }
      proceed = visits.proceed(batch, count);
    }
    pendingCount = 0;
    return proceed;
  }

  private int threshold() {
    return beamSize == beamWidth ? (int) (beam[beamSize - 1] >>> 32) : -1;
  }

  private boolean visit(int node) {
    int before = pendingCount;
    neighbors[0] = node;
    visitAll(1);
    boolean fresh = pendingCount > before;
    pendingCount = before;
    return fresh;
  }

  /**
   * Adds those of {@link #neighbors} that have not been visited to what is pending. Without a
   * branch: about as many have been visited as not, and in no order.
   */
  private void visitAll(int count) {
    if (touchedCount + count > touched.length) {
      touched = Arrays.copyOf(touched, 2 * touched.length + count);
    }
    int fresh = 0;
    for (int i = 0; i < count; i++) {
      int node = neighbors[i];
      long word = visited[node >>> 6];
      visited[node >>> 6] = word | 1L << node;
      touched[touchedCount + fresh] = node;
      pending[pendingCount + fresh] = node;
      fresh += (int) (~word >>> node) & 1;
    }
    touchedCount += fresh;
    pendingCount += fresh;
  }

  private void insert(int node, int sum) {
    if (sum <= threshold()) {
      return;
    }
    int low = 0;
    int high = beamSize;
    while (low < high) {
      int middle = low + high >>> 1;
      if ((int) (beam[middle] >>> 32) >= sum) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    int moved = (beamSize == beamWidth ? beamSize - 1 : beamSize) - low;
    System.arraycopy(beam, low, beam, low + 1, moved);
    beam[low] = (long) sum << 32 | node;
    beamSize = Math.min(beamWidth, beamSize + 1);
    next = Math.min(next, low);
  }

  /** Nodes in the beam. */
  int count() {
    return beamSize;
  }

  /** Sum of node {@code i} of the beam. */
  short sum(int i) {
    return (short) (beam[i] >>> 32);
  }

  /** Node {@code i} of the beam, the largest sum first. */
  int node(int i) {
    return (int) beam[i] & 0x7FFFFFFF;
  }
}
