package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Damaged files of the golden segments, by the thousand, from a seed. */
@ExtendWith(SeededRandom.class)
@Timeout(value = 3600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SegmentFuzzTest {
  @Test
  void damagedSegmentsGiveAnswersOrCleanExceptions(Random random) throws IOException {
    Map<SegmentFuzzer.Outcome, Integer> outcomes = new HashMap<>();
    int cases = Effort.of(4000, 100_000);
    try (SegmentFuzzer fuzzer = new SegmentFuzzer()) {
      for (int i = 0; i < cases; i++) {
        long seed = random.nextLong();
        try {
          outcomes.merge(fuzzer.run(new Random(seed)), 1, Integer::sum);
        } catch (RuntimeException | Error e) {
          throw new AssertionError("case " + i + ", seed " + seed, e);
        }
      }
    }
    Figures.print("%d damaged segments: %s", cases, outcomes);
  }

  /** Kept by the coverage-guided fuzzer, {@code SegmentFuzz}. */
  @Test
  void inputsThatReachedNewCodeGiveAnswersOrCleanExceptions() throws Exception {
    Path folder = Path.of(getClass().getResource("SegmentFuzzInputs").toURI());
    try (SegmentFuzzer fuzzer = new SegmentFuzzer();
        Stream<Path> files = Files.walk(folder).filter(Files::isRegularFile)) {
      List<Path> inputs = files.sorted().toList();
      assertTrue(inputs.size() > 50, inputs.size() + " inputs");
      for (Path input : inputs) {
        try {
          fuzzer.run(new ByteChoices(Files.readAllBytes(input)));
        } catch (RuntimeException | Error e) {
          throw new AssertionError("input " + input.getFileName(), e);
        }
      }
    }
  }
}
