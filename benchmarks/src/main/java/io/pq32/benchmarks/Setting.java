package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * One way to search an index.
 *
 * @param fanOut candidates asked of it
 * @param tolerance share of the hits that pq32 may miss because it ends early; empty for its
 *     default, and for all who have no such setting
 */
record Setting(Contender contender, int fanOut, OptionalDouble tolerance) {
  /**
   * All that a run measures, in the order of a round: all formats at one fan-out before the next,
   * and at the smallest those that can be told what to tolerate at every tolerance.
   */
  static List<Setting> round(RecallPlan plan) {
    List<Setting> settings = new ArrayList<>();
    for (int fanOut : plan.fanOuts()) {
      for (Contender contender : plan.contenders()) {
        settings.add(new Setting(contender, fanOut, OptionalDouble.empty()));
      }
      if (fanOut == plan.fanOuts().getFirst()) {
        for (double tolerance : plan.tolerances()) {
          for (Contender contender : plan.contenders()) {
            if (contender.hasTolerance()) {
              settings.add(new Setting(contender, fanOut, OptionalDouble.of(tolerance)));
            }
          }
        }
      }
    }
    return settings;
  }
}
