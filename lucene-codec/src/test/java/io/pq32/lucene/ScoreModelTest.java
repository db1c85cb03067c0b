package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class ScoreModelTest {
  private static final double STEP = 0.01;

  private static double line(int sum) {
    return 3 + 1.5 * STEP * sum;
  }

  @Test
  void expectsOfACodeWhatSumsLikeItsOwnScored(Random random) {
    ScoreModel model = new ScoreModel(STEP);
    for (int i = 0; i < 20_000; i++) {
      int sum = 1000 + random.nextInt(500);
      model.learn(sum, line(sum) + 0.2 * random.nextGaussian());
    }
    ScoreModel.Line learned = model.line();
    assertEquals(1.5 * STEP, learned.slope(), 0.02 * STEP);
    assertEquals(0.2, learned.scatter(), 0.005);
    int sum = 900; // none like it was seen
    assertEquals(0.5, learned.exceeds(sum, line(sum)), 0.03);
    assertEquals(0.1587, learned.exceeds(sum, line(sum) + 0.2), 0.01);
    assertEquals(0.0228, learned.exceeds(sum, line(sum) + 0.4), 0.003);
    assertEquals(0.9772, learned.exceeds(sum, line(sum) - 0.4), 0.003);
  }

  @Test
  void chancesDescendWithTheSum(Random random) {
    ScoreModel model = new ScoreModel(STEP);
    for (int i = 0; i < 30; i++) {
      model.learn(random.nextInt(100), random.nextGaussian()); // scores that know nothing of sums
    }
    double before = 1;
    for (int sum = 5000; sum >= 0; sum -= 10) {
      double chance = model.line().exceeds(sum, 1);
      assertTrue(chance <= before, "sum " + sum);
      before = chance;
    }
  }

  @Test
  void theTailIsThatOfTheNormalDistribution() {
    ScoreModel.Line line = new ScoreModel.Line(0, STEP, 1);
    double[] tail = {0.5, 0.158655, 0.022750, 0.0013499, 3.1671e-5};
    for (int deviations = 1; deviations < tail.length; deviations++) {
      assertEquals(tail[deviations], line.exceeds(0, deviations), 0.2 * tail[deviations]);
      assertEquals(1 - tail[deviations], line.exceeds(0, -deviations), 0.2 * tail[deviations]);
    }
  }

  @Test
  void whatMightBeIsCertainWhereNothingIsKnown() {
    ScoreModel model = new ScoreModel(STEP);
    assertEquals(1, model.line().exceeds(0, 1e30));
    model.learn(5, 1);
    model.learn(7, 2);
    assertEquals(1, model.line().exceeds(0, 1e30));
    model.learn(9, 3);
    assertEquals(0, model.line().exceeds(0, 1e30));
    assertEquals(1, model.line().exceeds(0, Double.NEGATIVE_INFINITY));
  }

  @Test
  void sumsThatAreAllAlikeAreWorthTheirLevels() {
    ScoreModel model = new ScoreModel(STEP);
    for (double score : new double[] {1, 2, 3}) {
      model.learn(40, score);
    }
    assertEquals(STEP, model.line().slope());
    assertEquals(1, model.line().scatter(), 0.5);
    assertEquals(0.5, model.line().exceeds(40, 2), 0.5);
  }

  @Test
  void scoresThatAreNotFiniteTellNothing() {
    ScoreModel model = new ScoreModel(STEP);
    for (int i = 0; i < 10; i++) {
      model.learn(i, STEP * i);
      model.learn(i, Double.POSITIVE_INFINITY);
      model.learn(i, Double.NaN);
    }
    assertEquals(STEP, model.line().slope(), 1e-9);
    assertEquals(0, model.line().scatter(), 1e-6);
  }
}
