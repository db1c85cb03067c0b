package io.pq32.lucene;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * What {@link SegmentFuzzTest} does with a seed, with the choices of a fuzzer that sees which code
 * they reach. What it finds goes there, with a name.
 */
class SegmentFuzz {
  private static SegmentFuzzer fuzzer;

  @BeforeAll
  static void open() throws IOException {
    fuzzer = new SegmentFuzzer();
  }

  @AfterAll
  static void close() throws IOException {
    fuzzer.close();
  }

  @FuzzTest(maxDuration = "5m")
  void damagedSegmentsGiveAnswersOrCleanExceptions(byte[] choices) throws IOException {
    fuzzer.run(new Choices(choices));
  }

  /** Choices from bytes, as few of them for each as its range needs, and zero after the last. */
  private static final class Choices implements RandomGenerator {
    private final byte[] bytes;
    private int next;

    Choices(byte[] bytes) {
      this.bytes = bytes;
    }

    private int nextByte() {
      return next < bytes.length ? bytes[next++] & 0xFF : 0;
    }

    @Override
    public int nextInt(int bound) {
      long choice = nextByte();
      for (int range = bound - 1 >>> 8; range > 0; range >>>= 8) {
        choice = choice << 8 | nextByte();
      }
      return (int) (choice % bound);
    }

    @Override
    public void nextBytes(byte[] target) {
      for (int i = 0; i < target.length; i++) {
        target[i] = (byte) nextByte();
      }
    }

    @Override
    public long nextLong() {
      byte[] eight = new byte[Long.BYTES];
      nextBytes(eight);
      long value = 0;
      for (byte b : eight) {
        value = value << 8 | b & 0xFF;
      }
      return value;
    }
  }
}
