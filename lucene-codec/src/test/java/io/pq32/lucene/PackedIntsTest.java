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
    "255, 1",
    "256, 2",
    "65535, 2",
    "65536, 3",
    "16777215, 3",
    "16777216, 4",
    "4294967295, 4",
    "4294967296, 5"
  })
  void aNumberTakesAsManyBytesAsTheLargest(long max, int width) {
    assertEquals(width, PackedInts.width(max));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5})
  void readsBackWhatItWrote(int width, Random random) throws IOException {
    int count = 300;
    long[] values = random.longs(count, 0, 1L << 8 * width).toArray();
    values[0] = 0;
    values[count - 1] = (1L << 8 * width) - 1;
    ByteBuffersDataOutput data = new ByteBuffersDataOutput();
    try (ByteBuffersIndexOutput out = new ByteBuffersIndexOutput(data, "test", "test")) {
      out.writeBytes(new byte[3], 3);
      for (long value : values) {
        PackedInts.write(out, value, width);
      }
      PackedInts.writePadding(out);
    }
    assertEquals(3 + PackedInts.length(count, width), data.size());
    PackedInts packed = new PackedInts(MemorySegment.ofArray(data.toArrayCopy()), 3, width);
    for (int i = 0; i < count; i++) {
      assertEquals(values[i], packed.get(i));
    }
  }
}
