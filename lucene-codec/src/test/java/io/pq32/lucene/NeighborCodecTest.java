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

  private static byte[] written(int node, int... neighbors) throws IOException {
    ByteBuffersDataOutput out = new ByteBuffersDataOutput();
    NeighborCodec.write(out, node, neighbors, neighbors.length);
    return out.toArrayCopy();
  }

  private static void assertReadsBack(int node, int... neighbors) throws IOException {
    byte[] bytes = written(node, neighbors);
    // At an offset, and with no more than the padding that a file has behind its lists.
    byte[] padded = new byte[5 + bytes.length + GraphMeta.LISTS_PADDING];
    System.arraycopy(bytes, 0, padded, 5, bytes.length);
    int[] read = new int[MAX_DEGREE];
    int count = NeighborCodec.read(MemorySegment.ofArray(padded), 5, node, read);
    assertArrayEquals(neighbors, Arrays.copyOf(read, count));
  }

  @Test
  void readsBackAnyList(Random random) throws IOException {
    for (int round = 0; round < 2000; round++) {
      int range = 1 << random.nextInt(31);
      int count = random.nextInt(random.nextBoolean() ? 10 : MAX_DEGREE + 1);
      int[] neighbors = random.ints(count, 0, range).sorted().distinct().toArray();
      assertReadsBack(random.nextInt(range), neighbors);
    }
  }

  @Test
  void readsBackTheExtremes() throws IOException {
    int max = Integer.MAX_VALUE;
    assertReadsBack(0);
    assertReadsBack(0, 0);
    assertReadsBack(0, max);
    assertReadsBack(max, 0);
    assertReadsBack(max, 0, max);
    assertReadsBack(max / 2, 0, 1, max - 1, max);
    assertReadsBack(5, IntStream.range(0, MAX_DEGREE).toArray());
  }

  @Test
  void neighborsNearbyTakeLittleMoreThanAByteEach() throws IOException {
    int[] neighbors = IntStream.range(0, 32).map(i -> 1_000_000 + 7 * i).toArray();
    assertEquals(1 + 32 + 8, written(1_000_040, neighbors).length);
  }

  @Test
  void rejectsMoreNeighborsThanThereIsRoomFor() throws IOException {
    byte[] bytes = Arrays.copyOf(written(1, 2, 3, 4, 5, 6), 100);
    assertEquals(-1, NeighborCodec.read(MemorySegment.ofArray(bytes), 0, 1, new int[4]));
    assertEquals(5, NeighborCodec.read(MemorySegment.ofArray(bytes), 0, 1, new int[5]));
  }

  @Test
  void readsNothingOutsideTheSegment(Random random) {
    int[] neighbors = new int[48];
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = new byte[1 + random.nextInt(60)];
      random.nextBytes(bytes);
      bytes[0] &= 63;
      try {
        int count = NeighborCodec.read(MemorySegment.ofArray(bytes), 0, 3, neighbors);
        assertTrue(count >= -1 && count <= 48);
      } catch (IndexOutOfBoundsException _) {
        // the segment's own check
      }
    }
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> NeighborCodec.read(MemorySegment.ofArray(new byte[] {40, 0}), 0, 3, neighbors));
  }
}
