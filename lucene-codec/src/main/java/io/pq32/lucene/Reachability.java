package io.pq32.lucene;

import java.util.BitSet;

/**
 * Can every node be reached from an entry? Links chosen for diversity leave some nodes that nobody
 * links to, above all among equal vectors (18 % in a production index, lucene#12627).
 */
final class Reachability {
  private Reachability() {}

  /**
   * Links to every node that no entry reaches: from one of its own neighbors with room for a link,
   * else from the reached node just before it in locality order that has room.
   */
  static void repair(BuiltGraph graph, int size, int entryStride) {
    BitSet reached = new BitSet(size);
    int[] queue = new int[size];
    int tail = 0;
    for (int entry = 0; entry < size; entry += entryStride) {
      reached.set(entry);
      queue[tail++] = entry;
    }
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
      int host = host(graph, reached, unreached, neighbors);
      int count = graph.neighbors(host, neighbors);
      neighbors[count] = unreached;
      graph.set(host, neighbors, count + 1);
      reached.set(unreached);
      queue[tail++] = unreached;
    }
  }

  private static int host(BuiltGraph graph, BitSet reached, int node, int[] neighbors) {
    int count = graph.neighbors(node, neighbors);
    for (int i = 0; i < count; i++) {
      if (reached.get(neighbors[i]) && graph.degree(neighbors[i]) < graph.maxDegree()) {
        return neighbors[i];
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
