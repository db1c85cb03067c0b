package io.pq32.lucene;

import static org.apache.lucene.search.BooleanClause.Occur.SHOULD;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.tests.util.TestUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's examples compile, run and are the ones shown. */
class ReadmeExampleTest {
  private static final float TOLERANCE = 1e-5f;

  @TempDir Path folder;

  @Test
  void areTheOnesShown() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/io/pq32/lucene/ReadmeExampleTest.java"));
    assertEquals(
        all(source, "^ *// README\n(.*?)^ *// README$"),
        all(Files.readString(Path.of("../README.md")), "^```java\n(.*?)^```$"));
  }

  /** What the group of the expression stands for wherever it matches. */
  private static List<String> all(String text, String expression) {
    return Pattern.compile(expression, Pattern.MULTILINE | Pattern.DOTALL)
        .matcher(text)
        .results()
        .map(found -> found.group(1).stripTrailing().stripIndent())
        .toList();
  }

  @Test
  void findsTheNearestThatPassesTheFilter() throws IOException {
    float[] vector = {1, 0, 0, 0};
    float[] query = {0.9f, 0.1f, 0, 0};
    // README
    var codec =
        new Lucene104Codec() {
          @Override
          public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
            return format;
          }

          final KnnVectorsFormat format = new Pq32HnswVectorsFormat();
        };
    TopDocs hits;
    try (var dir = new MMapDirectory(folder);
        var writer = new IndexWriter(dir, new IndexWriterConfig().setCodec(codec))) {
      var doc = new Document();
      doc.add(new KnnFloatVectorField("emb", vector, VectorSimilarityFunction.COSINE));
      doc.add(new StringField("lang", "en", Field.Store.NO));
      writer.addDocument(doc);
      try (var reader = DirectoryReader.open(writer)) {
        Query english = new TermQuery(new Term("lang", "en"));
        var nearest = new KnnFloatVectorQuery("emb", query, 10, english);
        hits = new IndexSearcher(reader).search(nearest, 10);
      }
    }
    // README
    assertEquals(1, hits.scoreDocs.length);
    assertEquals(
        VectorSimilarityFunction.COSINE.compare(query, vector), hits.scoreDocs[0].score, 1e-6);
  }

  @Test
  void combinesFullTextAndVectors() throws IOException {
    VectorSimilarityFunction similarity = VectorSimilarityFunction.COSINE;
    float[] query = {0.9f, 0.1f, 0, 0};
    float[][] vectors = {{1, 0, 0, 0}, {0, 1, 0, 0}, {1, 1, 0, 0}};
    String[] texts = {"other", "word", "word"};
    try (var dir = new MMapDirectory(folder);
        var writer =
            new IndexWriter(
                dir,
                new IndexWriterConfig()
                    .setCodec(TestUtil.alwaysKnnVectorsFormat(new Pq32HnswVectorsFormat())))) {
      for (int i = 0; i < texts.length; i++) {
        var doc = new Document();
        doc.add(new KnnFloatVectorField("emb", vectors[i], similarity));
        doc.add(new TextField("text", texts[i], Field.Store.NO));
        writer.addDocument(doc);
      }
      try (var reader = DirectoryReader.open(writer)) {
        var searcher = new IndexSearcher(reader);
        // README
        Query text = new TermQuery(new Term("text", "word"));
        Query near = new KnnFloatVectorQuery("emb", query, 100);
        Query weighted = new BoostQuery(near, 20);
        TopDocs sum =
            searcher.search(
                new BooleanQuery.Builder().add(text, SHOULD).add(weighted, SHOULD).build(), 10);
        TopDocs better = searcher.search(new DisjunctionMaxQuery(List.of(text, weighted), 0), 10);
        TopDocs fused =
            TopDocs.rrf(
                10, 60, new TopDocs[] {searcher.search(text, 100), searcher.search(near, 100)});
        // README
        float word = searcher.search(text, 10).scoreDocs[0].score;
        float[] score = new float[vectors.length];
        for (int i = 0; i < score.length; i++) {
          score[i] = 20 * similarity.compare(query, vectors[i]);
        }
        assertHits(sum, Map.of(0, score[0], 1, score[1] + word, 2, score[2] + word));
        assertHits(
            better, Map.of(0, score[0], 1, Math.max(score[1], word), 2, Math.max(score[2], word)));
        // Rankings: 1 and 2 by text, which are equal; 0, 2, 1 by vector.
        assertHits(fused, Map.of(0, 1 / 61f, 1, 1 / 61f + 1 / 63f, 2, 1 / 62f + 1 / 62f));
      }
    }
  }

  @Test
  void toleratesMoreMisses() throws IOException {
    float[] query = {0.9f, 0.1f, 0, 0};
    Query english = new TermQuery(new Term("lang", "en"));
    // README
    var hasty = new Pq32SearchStrategy(.05);
    Query near = new KnnFloatVectorQuery("emb", query, 10, english, hasty);
    // README
    VectorSimilarityFunction similarity = VectorSimilarityFunction.COSINE;
    float[] vector = {1, 0, 0, 0};
    try (var dir = new MMapDirectory(folder);
        var writer =
            new IndexWriter(
                dir,
                new IndexWriterConfig()
                    .setCodec(TestUtil.alwaysKnnVectorsFormat(new Pq32HnswVectorsFormat())))) {
      var doc = new Document();
      doc.add(new KnnFloatVectorField("emb", vector, similarity));
      doc.add(new StringField("lang", "en", Field.Store.NO));
      writer.addDocument(doc);
      try (var reader = DirectoryReader.open(writer)) {
        TopDocs hits = new IndexSearcher(reader).search(near, 10);
        assertHits(hits, Map.of(0, similarity.compare(query, vector)));
      }
    }
  }

  private static void assertHits(TopDocs hits, Map<Integer, Float> expected) {
    Map<Integer, Float> found =
        Arrays.stream(hits.scoreDocs).collect(Collectors.toMap(hit -> hit.doc, hit -> hit.score));
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach((doc, score) -> assertEquals(score, found.get(doc), TOLERANCE * score));
  }
}
