package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.lucene.search.ScoreDoc;
import org.junit.jupiter.api.Test;

class RankingQualityTest {
  @Test
  void reciprocalRankIsThatOfTheFirstRelevantHit() {
    assertEquals(1, quality(Set.of(1), 1, 2, 3).mrr10());
    assertEquals(0.5, quality(Set.of(2, 3), 1, 2, 3).mrr10());
    assertEquals(0.1, quality(Set.of(9), IntStream.range(0, 50).toArray()).mrr10());
    assertEquals(0, quality(Set.of(10), IntStream.range(0, 50).toArray()).mrr10());
  }

  @Test
  void recallIsTheShareOfWhatIsRelevant() {
    RankingQuality quality = quality(Set.of(9, 10, 99, 100), IntStream.range(0, 200).toArray());
    assertEquals(0.25, quality.recall10());
    assertEquals(0.75, quality.recall100());
  }

  @Test
  void everyQuestionCountsAlike() {
    RankingQuality quality =
        RankingQuality.of(
            List.of(question(Set.of(1, 2)), question(Set.of(3))), List.of(hits(2, 1), hits()));
    assertEquals(new RankingQuality(0.5, 0.5, 0.5), quality);
  }

  @Test
  void hitsOfEqualScoreShareTheBestRank() {
    ScoreDoc[] hits = hits(5, 6, 7, 8);
    hits[2].score = hits[1].score;
    RankingQuality quality =
        RankingQuality.of(List.of(question(Set.of(7))), List.<ScoreDoc[]>of(hits));
    assertEquals(0.5, quality.mrr10());
    quality = RankingQuality.of(List.of(question(Set.of(8))), List.<ScoreDoc[]>of(hits));
    assertEquals(0.25, quality.mrr10());
  }

  private static ScoreDoc[] hits(int... ids) {
    return IntStream.range(0, ids.length)
        .mapToObj(place -> new ScoreDoc(ids[place], -place))
        .toArray(ScoreDoc[]::new);
  }

  private static RankingQuality quality(Set<Integer> relevant, int... hits) {
    return RankingQuality.of(List.of(question(relevant)), List.<ScoreDoc[]>of(hits(hits)));
  }

  private static KnownItems.Question question(Set<Integer> relevant) {
    return new KnownItems.Question(0, "", relevant);
  }
}
