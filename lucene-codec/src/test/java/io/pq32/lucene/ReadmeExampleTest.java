package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's example compiles, runs and is the one shown. */
class ReadmeExampleTest {
  @TempDir Path folder;

  @Test
  void isTheOneShown() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/io/pq32/lucene/ReadmeExampleTest.java"));
    String shown = between(Files.readString(Path.of("../README.md")), "```java\n", "```");
    String run = between(source, "    // README\n", "        // README\n");
    assertEquals(run.stripTrailing().stripIndent(), shown.strip());
  }

  private static String between(String text, String start, String end) {
    int from = text.indexOf(start) + start.length();
    return text.substring(from, text.indexOf(end, from));
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
    try (var dir = new MMapDirectory(folder);
        var writer = new IndexWriter(dir, new IndexWriterConfig().setCodec(codec))) {
      var doc = new Document();
      doc.add(new KnnFloatVectorField("emb", vector, VectorSimilarityFunction.COSINE));
      doc.add(new StringField("lang", "en", Field.Store.NO));
      writer.addDocument(doc);
      try (var reader = DirectoryReader.open(writer)) {
        Query english = new TermQuery(new Term("lang", "en"));
        TopDocs hits =
            new IndexSearcher(reader)
                .search(new KnnFloatVectorQuery("emb", query, 10, english), 10);
        // README
        assertEquals(1, hits.scoreDocs.length);
        assertEquals(
            VectorSimilarityFunction.COSINE.compare(query, vector), hits.scoreDocs[0].score, 1e-6);
      }
    }
  }
}
