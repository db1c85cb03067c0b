package io.pq32.lucene;

import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;

/**
 * Can every node be reached from node 0? Links chosen for diversity leave some nodes that nobody
 * links to, above all among equal vectors (18 % in a production index, lucene#12627).
 *
 * <p>One start for all, not the entries together: a walk starts at one of them only, and another
 * one may be all that links to a whole island. So a walk offers node 0 too, which it expands when
 * the island it started on is exhausted.
 */
final class Reachability {
  /** Nodes looked at for a place to link from. */
  private static final int SEARCHED = 1024;

  private Reachability() {}

  /**
   * Links to every node that is not reached: from a node near it with room for a link, else from
   * the reached node just before it in locality order that has room.
   */
  static void repair(BuiltGraph graph, int size) {
    BitSet reached = new BitSet(size);
    int[] queue = new int[size];
    reached.set(0);
    int tail = 1;
    int[] neighbors = new int[graph.maxDegree()];
    int head = 0;
    int unreached = 0;
    while (true) {
      for (; head < tail; head++) {
        int count = graph.neighbors(queue[head], neighbors);
        for (int i = 0; i < count; i++) {
          if (!reached.get(neighbors[i])) {
            reached.set(neighbors[i]);
            queue[tail++] = neighbors[i];
          }
        }
      }
      unreached = reached.nextClearBit(unreached);
      if (unreached >= size) {
        return;
      }
      int host = host(graph, reached, unreached);
      int count = graph.neighbors(host, neighbors);
      neighbors[count] = unreached;
      graph.set(host, neighbors, count + 1);
      reached.set(unreached);
      queue[tail++] = unreached;
    }
  }

  /**
   * The reached node with room that is fewest links away from {@code node}: near it, or equal to
   * it, so that a walk which comes close expands it.
   */
  private static int host(BuiltGraph graph, BitSet reached, int node) {
    int[] queue = new int[SEARCHED];
    int[] neighbors = new int[graph.maxDegree()];
    Set<Integer> seen = new HashSet<>();
    seen.add(node);
    queue[0] = node;
    int tail = 1;
    for (int head = 0; head < tail; head++) {
      int count = graph.neighbors(queue[head], neighbors);
      for (int i = 0; i < count && tail < SEARCHED; i++) {
        int neighbor = neighbors[i];
        if (seen.add(neighbor)) {
          if (reached.get(neighbor) && graph.degree(neighbor) < graph.maxDegree()) {
            return neighbor;
          }
          queue[tail++] = neighbor;
        }
      }
    }
    // A full row holds one link in three for repairs, so the node repaired before this one, or any
    // other node if this is the first, has room.
    int host = reached.previousSetBit(node);
    while (graph.degree(host) >= graph.maxDegree()) {
      host = reached.previousSetBit(host - 1);
    }
    return host;
  }
}
