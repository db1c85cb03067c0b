package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.InfoStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the format tells of its choices while it writes. */
@ExtendWith(SeededRandom.class)
class InfoStreamTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  private final List<String> messages = new ArrayList<>();
  private final InfoStream infoStream =
      new InfoStream() {
        @Override
        public void message(String component, String message) {
          messages.add(message);
        }

        @Override
        public boolean isEnabled(String component) {
          return component.equals("PQ32");
        }

        @Override
        public void close() {}
      };

  private void assertSays(String... words) {
    assertEquals(words.length, messages.size(), messages.toString());
    for (int i = 0; i < words.length; i++) {
      assertTrue(messages.get(i).contains(words[i]), messages.get(i));
    }
    messages.clear();
  }

  @Test
  void saysWhatWasChosenForEachSegment(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 4000, 16);
    KnnVectorsFormat format =
        new Pq32HnswVectorsFormat(
            Pq32HnswConfig.DEFAULT.withMinQuantizedCount(500).withGraphThreshold(2000));
    try (Directory directory = new ByteBuffersDirectory();
        IndexWriter writer =
            new IndexWriter(
                directory, VectorIndex.mergingConfig(format).setInfoStream(infoStream))) {
      VectorIndex.add(writer, vectors, 0, 10, SIMILARITY);
      writer.flush();
      assertSays("no codebook for the 10 vectors of field vector: minQuantizedCount is 500");
      VectorIndex.add(writer, vectors, 10, 1000, SIMILARITY);
      writer.flush();
      assertSays(
          "trained codebook",
          "field vector: 990 codes in blocks, no graph: graphThreshold is 2000");
      VectorIndex.add(writer, vectors, 1000, 3500, SIMILARITY);
      writer.flush();
      assertSays("kept codebook", "field vector: 2500 codes get a graph: graphThreshold is 2000");
      writer.forceMerge(1);
      assertSays(
          "kept codebook",
          "field vector: 3500 codes get a graph",
          "field vector: copied 3490 codes of 3500",
          "graph: starts with the links of");
    }
  }
}
