package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SettingTest {
  @Test
  void aRoundGoesThroughAllFormatsBeforeTheNextFanOut() {
    RecallPlan plan =
        new RecallPlan(
            List.of(Contender.FLOAT, Contender.PQ32, Contender.PQ32_SCAN),
            new BuildSettings(16, 100, 32, 1, 1, 128),
            List.of(10, 50),
            List.of(0.05, 0.1),
            10,
            1,
            1,
            3,
            List.of(0.95));
    assertEquals(
        List.of(
            "float 10 -",
            "pq32 10 -",
            "pq32-scan 10 -",
            "pq32 10 0.05",
            "pq32-scan 10 0.05",
            "pq32 10 0.1",
            "pq32-scan 10 0.1",
            "float 50 -",
            "pq32 50 -",
            "pq32-scan 50 -"),
        Setting.round(plan).stream().map(SettingTest::text).toList());
  }

  private static String text(Setting setting) {
    return setting.contender()
        + " "
        + setting.fanOut()
        + " "
        + (setting.tolerance().isPresent() ? setting.tolerance().getAsDouble() : "-");
  }
}
