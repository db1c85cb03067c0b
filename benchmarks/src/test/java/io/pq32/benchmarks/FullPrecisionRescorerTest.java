package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.RescoreTopNQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullPrecisionRescorerTest {
  @TempDir Path folder;

  @Test
  void findsWhatLucenesRescoringQueryFinds() throws IOException {
    VectorSet base =
        VectorSet.read(
            TestFiles.fvecs(folder.resolve("base.fvecs"), TestFiles.vectors(500, 16, 1)),
            folder.resolve("base"),
            Arena.ofAuto(),
            TestFiles.QUIET);
    Path index = folder.resolve("index");
    Contender.ONE_BIT
        .engine()
        .build(
            base,
            Similarity.L2,
            DocumentFields.NONE,
            new BuildSettings(16, 100, 32, 60_000, 3, 16),
            index,
            "index",
            TestFiles.QUIET)
        .index()
        .close();
    try (MMapDirectory directory = new MMapDirectory(index);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(3, reader.leaves().size());
      IndexSearcher searcher = new IndexSearcher(reader);
      for (float[] vector : TestFiles.vectors(20, 16, 2)) {
        Query query = new KnnFloatVectorQuery(LuceneIndex.FIELD, vector, 40);
        ScoreDoc[] expected =
            searcher.search(
                    RescoreTopNQuery.createFullPrecisionRescorerQuery(
                        query, vector, LuceneIndex.FIELD, 10),
                    10)
                .scoreDocs;
        ScoreDoc[] actual = FullPrecisionRescorer.best(searcher, query, vector, 10);
        assertArrayEquals(
            Stream.of(expected).mapToInt(hit -> hit.doc).toArray(),
            Stream.of(actual).mapToInt(hit -> hit.doc).toArray());
        for (int rank = 0; rank < 10; rank++) {
          assertEquals(expected[rank].score, actual[rank].score, 1e-6f);
        }
      }
    }
  }
}
