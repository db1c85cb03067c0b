package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class NodeOrdsTest {
  private static final int CODE_BYTES = 16;

  /** What is done with the ordinals of a segment. */
  @FunctionalInterface
  private interface Use {
    void accept(NodeOrds ords) throws IOException;
  }

  /** Ordinals of all nodes: any, but ascending within each block. */
  private static int[] shuffled(Random random, int size) {
    List<Integer> all = new ArrayList<>(IntStream.range(0, size).boxed().toList());
    Collections.shuffle(all, random);
    int[] ords = all.stream().mapToInt(Integer::intValue).toArray();
    for (int from = 0; from < size; from += 64) {
      Arrays.sort(ords, from, Math.min(size, from + 64));
    }
    return ords;
  }

  /**
   * Writes the ordinals of nodes as a segment has them, and reads them.
   *
   * @param block of an ordinal, given the right one
   */
  private static void with(int[] nodeToOrd, IntUnaryOperator block, Use use) throws IOException {
    BlocksLayout layout = new BlocksLayout(nodeToOrd.length, CODE_BYTES, false);
    int[] blocks = new int[nodeToOrd.length];
    for (int node = 0; node < nodeToOrd.length; node++) {
      blocks[nodeToOrd[node]] = block.applyAsInt(node / 64);
    }
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexOutput out = directory.createOutput("ords", IOContext.DEFAULT)) {
        byte[] codes = new byte[Math.toIntExact(layout.ords())];
        out.writeBytes(codes, codes.length);
        PackedInts.write(out, layout.size(), layout.ordWidth(), node -> nodeToOrd[node]);
        PackedInts.write(out, layout.size(), layout.blockWidth(), ord -> blocks[ord]);
      }
      try (IndexInput in = directory.openInput("ords", IOContext.DEFAULT)) {
        byte[] bytes = new byte[Math.toIntExact(in.length())];
        in.readBytes(bytes, 0, bytes.length);
        use.accept(new NodeOrds("field", layout, MemorySegment.ofArray(bytes), in));
      }
    }
  }

  @Test
  void everyOrdinalLeadsToItsNodeAndBack(Random random) throws IOException {
    for (int size : new int[] {1, 2, 63, 64, 65, 127, 1000, 5000}) {
      int[] nodeToOrd = shuffled(random, size);
      with(
          nodeToOrd,
          block -> block,
          ords -> {
            int[] expected = new int[size];
            for (int node = 0; node < size; node++) {
              expected[nodeToOrd[node]] = node;
            }
            assertArrayEquals(expected, ords.ordToNode());
            int[] all = new int[size];
            Arrays.setAll(all, ord -> ord);
            int[] nodes = new int[size];
            ords.nodes(all, size, nodes);
            assertArrayEquals(expected, nodes);
            assertArrayEquals(all, ords.ords(nodes));
          });
    }
  }

  @Test
  void looksUpNoMoreThanAreAskedFor(Random random) throws IOException {
    int[] nodeToOrd = shuffled(random, 300);
    with(
        nodeToOrd,
        block -> block,
        ords -> {
          int[] nodes = {-1, -1, -1};
          ords.nodes(new int[] {nodeToOrd[299], nodeToOrd[70], 1 << 30}, 2, nodes);
          assertArrayEquals(new int[] {299, 70, -1}, nodes);
        });
  }

  @Test
  void aWrongBlockIsCorruption(Random random) throws IOException {
    int[] nodeToOrd = shuffled(random, 300); // five blocks, so that 7 can be stored
    for (int wrong : new int[] {0, 3, 4, 5, 7}) {
      with(
          nodeToOrd,
          block -> block == 2 ? wrong : block,
          ords -> {
            int ord = nodeToOrd[2 * 64 + random.nextInt(64)];
            String message =
                assertThrows(
                        CorruptIndexException.class,
                        () -> ords.nodes(new int[] {nodeToOrd[0], ord}, 2, new int[2]))
                    .getMessage();
            assertTrue(message.contains("block of ordinal " + ord), message);
            assertTrue(message.contains("field") && message.contains("" + wrong), message);
          });
    }
  }
}
