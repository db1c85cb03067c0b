package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class NeighborCodecTest {
  private static final int MAX_DEGREE = GraphMeta.maxDegree(Pq32HnswConfig.MAX_MAX_CONN);

  private static final int COUNT_BITS = NeighborCodec.countBits(MAX_DEGREE);

  private static byte[] written(int node, int... neighbors) throws IOException {
    ByteBuffersDataOutput out = new ByteBuffersDataOutput();
    NeighborCodec.write(out, COUNT_BITS, node, neighbors, neighbors.length);
    return out.toArrayCopy();
  }

  private static void assertReadsBack(int node, int... neighbors) throws IOException {
    byte[] bytes = written(node, neighbors);
    // At an offset, and with no more than the padding that a file has behind its lists.
    byte[] padded = new byte[5 + bytes.length + GraphMeta.LISTS_PADDING];
    System.arraycopy(bytes, 0, padded, 5, bytes.length);
    int[] read = new int[MAX_DEGREE];
    int count = NeighborCodec.read(MemorySegment.ofArray(padded), 5, COUNT_BITS, node, read);
    assertArrayEquals(neighbors, Arrays.stream(read, 0, count).sorted().toArray());
  }

  @Test
  void readsBackAnyList(Random random) throws IOException {
    for (int round = 0; round < 2000; round++) {
      int range = 1 << random.nextInt(31);
      int count = random.nextInt(random.nextBoolean() ? 10 : MAX_DEGREE + 1);
      int node = random.nextInt(range);
      assertReadsBack(
          node, random.ints(count, 0, range).filter(n -> n != node).sorted().distinct().toArray());
    }
  }

  @Test
  void readsBackTheExtremes() throws IOException {
    int max = Integer.MAX_VALUE;
    assertReadsBack(0);
    assertReadsBack(0, 1);
    assertReadsBack(0, max);
    assertReadsBack(max, 0);
    assertReadsBack(max, 0, max - 1);
    assertReadsBack(max / 2, 0, 1, max - 1, max);
    assertReadsBack(MAX_DEGREE, IntStream.range(0, MAX_DEGREE).toArray());
    assertReadsBack(5, IntStream.range(6, 6 + MAX_DEGREE).toArray());
  }

  @Test
  void neighborsNearbyTakeNoMoreThanTheirDistanceNeeds() throws IOException {
    int[] neighbors = IntStream.range(0, 32).map(i -> 1_000_000 + 8 * i).toArray();
    // Distances of 8, less one, and of 4 at both sides of the node; a bit each for the width.
    int bits = 2 * COUNT_BITS + 2 * 5 + 32 + 32 * 3;
    assertEquals(Math.ceilDiv(bits, 8), written(1_000_028, neighbors).length);
  }

  @Test
  void oneFarNeighborDoesNotWidenTheOthers() throws IOException {
    int[] neighbors = IntStream.range(0, 32).map(i -> 1_000_000 + 8 * i).toArray();
    int length = written(1_000_028, neighbors).length;
    neighbors[31] = 2_000_000;
    assertEquals(length + Math.ceilDiv(20 - 3, 8), written(1_000_028, neighbors).length, 1);
  }

  @Test
  void rejectsMoreNeighborsThanThereIsRoomFor() throws IOException {
    MemorySegment bytes = MemorySegment.ofArray(Arrays.copyOf(written(1, 2, 3, 4, 5, 6), 100));
    assertEquals(-1, NeighborCodec.read(bytes, 0, COUNT_BITS, 1, new int[4]));
    assertEquals(5, NeighborCodec.read(bytes, 0, COUNT_BITS, 1, new int[5]));
  }

  @Test
  void readsNothingOutsideTheSegment(Random random) {
    int[] neighbors = new int[48];
    int inside = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = new byte[8 + random.nextInt(100)];
      random.nextBytes(bytes);
      try {
        int count = NeighborCodec.read(MemorySegment.ofArray(bytes), 0, 6, 3, neighbors);
        assertTrue(count >= -1 && count <= 48);
        inside++;
      } catch (IndexOutOfBoundsException _) {
        // the segment's own check
      }
    }
    assertTrue(inside > 100 && inside < 20_000, inside + " lists inside");
    byte[] endless = new byte[10];
    Arrays.fill(endless, (byte) -1);
    endless[0] = 40; // neighbors above, none below, of 31 bits each
    endless[1] = (byte) 0xF0;
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> NeighborCodec.read(MemorySegment.ofArray(endless), 0, 6, 3, neighbors));
  }
}
