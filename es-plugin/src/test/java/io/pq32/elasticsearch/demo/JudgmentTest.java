package io.pq32.elasticsearch.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.elasticsearch.demo.Judgment.Mark;
import io.pq32.elasticsearch.demo.Judgment.Row;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class JudgmentTest {
  private static final Hit A = new Hit("a", 0.9);
  private static final Hit B = new Hit("b", 0.8);
  private static final Hit C = new Hit("c", 0.7);
  private static final Hit TIES_WITH_B = new Hit("tie", 0.8);

  @Test
  void exactAnswerIsRight() {
    Judgment judgment = Judgment.of(List.of(A, B), List.of(A, B, C), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.RIGHT);
    assertEquals(1, judgment.recall());
    assertTrue(judgment.sound());
  }

  @Test
  void tieWithTheLastHitIsRight() {
    Judgment judgment = Judgment.of(List.of(A, TIES_WITH_B), List.of(A, B, TIES_WITH_B, C), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.RIGHT);
  }

  @Test
  void missedNeighborLowersRecallButIsSound() {
    Judgment judgment = Judgment.of(List.of(A, C), List.of(A, B, C), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.TOO_FAR);
    assertEquals(0.5, judgment.recall());
    assertTrue(judgment.sound());
  }

  @Test
  void inexactScoreIsWrong() {
    Judgment judgment = Judgment.of(List.of(A, new Hit("b", 0.8001)), List.of(A, B, C), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.BAD_SCORE);
    assertEquals(1, judgment.recall());
    assertFalse(judgment.sound());
  }

  @Test
  void scoreThatIsNoNumberIsWrong() {
    assertMarks(Judgment.of(List.of(new Hit("a", Double.NaN)), List.of(A), 1), Mark.BAD_SCORE);
  }

  @Test
  void documentOutsideTheFilterIsWrong() {
    Judgment judgment = Judgment.of(List.of(A, new Hit("x", 0.85)), List.of(A, B), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.NOT_ACCEPTED);
    assertFalse(judgment.sound());
  }

  @Test
  void repeatedDocumentIsWrong() {
    Judgment judgment = Judgment.of(List.of(A, A), List.of(A, B), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.REPEATED);
    assertFalse(judgment.sound());
  }

  @Test
  void fewerHitsThanThereAreIsWrong() {
    Judgment judgment = Judgment.of(List.of(A), List.of(A, B, C), 2);
    assertMarks(judgment, Mark.RIGHT, Mark.MISSING);
    assertEquals(Arrays.asList(A, null), judgment.rows().stream().map(Row::answered).toList());
    assertEquals(0.5, judgment.recall());
    assertFalse(judgment.sound());
  }

  @Test
  void fewerMatchesThanAskedForAreAllExpected() {
    Judgment judgment = Judgment.of(List.of(A, B), List.of(A, B), 10);
    assertMarks(judgment, Mark.RIGHT, Mark.RIGHT);
    assertEquals(1, judgment.recall());
    assertTrue(judgment.sound());
  }

  @Test
  void moreHitsThanAskedForAreWrong() {
    assertFalse(Judgment.of(List.of(A, B, C), List.of(A, B, C), 2).sound());
  }

  @Test
  void emptyAnswerToAQueryWithoutMatchesIsRight() {
    Judgment judgment = Judgment.of(List.of(), List.of(), 10);
    assertEquals(1, judgment.recall());
    assertTrue(judgment.sound());
  }

  @Test
  void anyHitForAQueryWithoutMatchesIsWrong() {
    Judgment judgment = Judgment.of(List.of(A), List.of(), 10);
    assertMarks(judgment, Mark.NOT_ACCEPTED);
    assertFalse(judgment.sound());
  }

  private static void assertMarks(Judgment judgment, Mark... marks) {
    assertEquals(List.of(marks), judgment.rows().stream().map(Row::mark).toList());
  }
}
