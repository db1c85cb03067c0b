package io.pq32.lucene;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * What {@link SegmentFuzzTest} does with a seed, with the choices of a fuzzer that sees which code
 * they reach. What it finds goes there, with a name; inputs that reached new code are kept beside
 * the other tests' resources, where it starts from them.
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
    fuzzer.run(new ByteChoices(choices));
  }
}
