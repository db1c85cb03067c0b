package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class ReachabilityTest {
  private static final int MAX_CONN = 4;
  private static final int MAX_DEGREE = GraphMeta.maxDegree(MAX_CONN);

  private static int[] row(BuiltGraph graph, int node) {
    int[] neighbors = new int[graph.maxDegree()];
    int count = graph.neighbors(node, neighbors);
    return Arrays.copyOf(neighbors, count);
  }

  private static int reached(BuiltGraph graph, int size) {
    BitSet reached = new BitSet(size);
    ArrayDeque<Integer> queue = new ArrayDeque<>();
    reached.set(0);
    queue.add(0);
    while (!queue.isEmpty()) {
      for (int neighbor : row(graph, queue.remove())) {
        if (!reached.get(neighbor)) {
          reached.set(neighbor);
          queue.add(neighbor);
        }
      }
    }
    return reached.cardinality();
  }

  private static void assertRepairs(BuiltGraph graph, int size) {
    int[][] before = new int[size][];
    for (int node = 0; node < size; node++) {
      before[node] = row(graph, node);
    }
    Reachability.repair(graph, size);
    assertEquals(size, reached(graph, size));
    for (int node = 0; node < size; node++) {
      int[] after = row(graph, node);
      assertArrayEquals(before[node], Arrays.copyOf(after, before[node].length), "links are kept");
      assertEquals(after.length, Arrays.stream(after).distinct().count(), "no link stands twice");
    }
  }

  @Test
  void repairsAnyGraph(Random random) {
    for (int round = 0; round < 200; round++) {
      int size = 1 + random.nextInt(300);
      int degree = random.nextInt(2 * MAX_CONN + 1);
      BuiltGraph graph = new BuiltGraph(size, MAX_DEGREE);
      int range = 1 + random.nextInt(size); // links within blocks make islands
      for (int node = 0; node < size; node++) {
        int first = node / range * range;
        int last = Math.min(size, first + range);
        int[] row =
            random.ints(degree, first, last).filter(other -> other > 0).distinct().toArray();
        graph.set(node, row, row.length);
      }
      assertRepairs(graph, size);
    }
  }

  @Test
  void repairsNodesThatAllLinkToOne() {
    // As copies of one vector might: the one they link to has room for few links back.
    int size = 2000;
    BuiltGraph graph = new BuiltGraph(size, MAX_DEGREE);
    int[] hub = {5};
    for (int node = 0; node < size; node++) {
      graph.set(node, hub, node == 5 ? 0 : 1);
    }
    assertRepairs(graph, size);
  }

  @Test
  void linksFromWhatIsNear() {
    // Two chains, 0 to 49 and 50 to 99 backwards: the end of the second is linked from its start.
    int size = 100;
    BuiltGraph graph = new BuiltGraph(size, MAX_DEGREE);
    for (int node = 0; node < 49; node++) {
      graph.set(node, new int[] {node + 1}, 1);
    }
    graph.set(49, new int[0], 0);
    graph.set(50, new int[] {10}, 1);
    for (int node = 51; node < size; node++) {
      graph.set(node, new int[] {node - 1}, 1);
    }
    assertRepairs(graph, size);
    assertArrayEquals(new int[] {11, 50}, row(graph, 10), "50 links to 10");
    assertArrayEquals(new int[] {10, 51}, row(graph, 50), "51 links to 50");
  }

  @Test
  void leavesAReachableGraphAlone() {
    BuiltGraph graph = new BuiltGraph(3, MAX_DEGREE);
    graph.set(0, new int[] {2}, 1);
    graph.set(1, new int[] {0}, 1);
    graph.set(2, new int[] {1, 0}, 2);
    assertRepairs(graph, 3);
    assertTrue(row(graph, 0).length + row(graph, 1).length + row(graph, 2).length == 4);
  }
}
