package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.apache.lucene.store.ByteBuffersIndexOutput;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class PackedIntsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "1, 1",
    "2, 2",
    "255, 8",
    "256, 9",
    "120000, 17",
    "2147483647, 31",
    "4294967296, 33"
  })
  void aNumberTakesAsManyBitsAsTheLargest(long max, int width) {
    assertEquals(width, PackedInts.width(max));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8, 9, 17, 31, 32, 33, 56, PackedInts.MAX_WIDTH})
  void readsBackWhatItWrote(int width, Random random) throws IOException {
    for (int count : new int[] {1, 7, 8, 9, 300}) {
      long[] values = random.longs(count, 0, 1L << width).toArray();
      values[0] = 0;
      values[count - 1] = (1L << width) - 1;
      ByteBuffersDataOutput data = new ByteBuffersDataOutput();
      try (ByteBuffersIndexOutput out = new ByteBuffersIndexOutput(data, "test", "test")) {
        out.writeBytes(new byte[3], 3);
        PackedInts.write(out, count, width, i -> values[i]);
      }
      assertEquals(3 + PackedInts.length(count, width), data.size());
      PackedInts packed = new PackedInts(MemorySegment.ofArray(data.toArrayCopy()), 3, width);
      for (int i = 0; i < count; i++) {
        assertEquals(values[i], packed.get(i));
      }
    }
  }
}
