package io.pq32.elasticsearch.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pq32.elasticsearch.demo.Sample.Document;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExactRankingTest {
  private static final List<Document> DOCUMENTS =
      List.of(document("far", -1, 0), document("near", 1, 0), document("middle", 0, 1));

  @Test
  void ranksByVectorWithElasticsearchScores() {
    assertEquals(
        List.of(new Hit("near", 1), new Hit("middle", 0.5), new Hit("far", 0)),
        ExactRanking.byVector(DOCUMENTS, new float[] {1, 0}, document -> true));
  }

  @Test
  void leavesOutWhatTheFilterRejects() {
    assertEquals(
        List.of(new Hit("middle", 0.5), new Hit("far", 0)),
        ExactRanking.byVector(
            DOCUMENTS, new float[] {1, 0}, document -> !document.id().equals("near")));
  }

  @Test
  void breaksTiesById() {
    assertEquals(
        List.of(new Hit("a", 0.5), new Hit("b", 0.5)),
        ExactRanking.byVector(
            List.of(document("b", 0, 1), document("a", 0, -1)),
            new float[] {1, 0},
            document -> true));
  }

  @Test
  void rejectsVectorsOfDifferentDimension() {
    assertThrows(
        IllegalArgumentException.class,
        () -> ExactRanking.byVector(DOCUMENTS, new float[] {1}, document -> true));
  }

  @Test
  void sumsTheScoresOfBothLists() {
    assertEquals(
        List.of(new Hit("both", 3.5), new Hit("left", 3), new Hit("right", 2)),
        ExactRanking.sum(
            List.of(new Hit("left", 3), new Hit("both", 2.5)),
            List.of(new Hit("right", 2), new Hit("both", 1))));
  }

  @Test
  void boostMultipliesEveryScore() {
    assertEquals(
        List.of(new Hit("a", 6), new Hit("b", 3)),
        ExactRanking.boosted(List.of(new Hit("a", 2), new Hit("b", 1)), 3));
  }

  @Test
  void topIsTheWholeRankingWhenItIsShort() {
    List<Hit> ranking = List.of(new Hit("a", 2), new Hit("b", 1));
    assertEquals(ranking, ExactRanking.top(ranking, 3));
    assertEquals(ranking.subList(0, 1), ExactRanking.top(ranking, 1));
  }

  private static Document document(String id, float... vector) {
    return new Document(id, JsonNodeFactory.instance.objectNode(), vector);
  }
}
