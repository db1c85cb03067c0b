package io.pq32.lucene;

import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.KnnByteVectorField;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.Directory;

/**
 * A small index with all that a segment may have: fields of every similarity, in all documents and
 * in some, with codes and with floats only, of bytes; outliers; two segments that share codebooks.
 */
final class SampleIndex {
  /** Documents of the first segment, and of both. */
  static final int FIRST = 300;

  static final int SIZE = 500;

  /** A field that is in too few documents for a codebook. */
  static final String FEW = "few";

  static final String BYTES = "bytes";

  /**
   * A field of float vectors.
   *
   * @param every it is in every so manieth document
   */
  record FloatField(String name, int dimension, int every, VectorSimilarityFunction similarity) {}

  static final List<FloatField> FIELDS =
      List.of(
          new FloatField("euclidean", 16, 1, VectorSimilarityFunction.EUCLIDEAN),
          new FloatField("cosine", 24, 2, VectorSimilarityFunction.COSINE),
          new FloatField("dot", 12, 2, VectorSimilarityFunction.DOT_PRODUCT),
          new FloatField("product", 8, 2, VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT),
          new FloatField(FEW, 4, 25, VectorSimilarityFunction.EUCLIDEAN));

  /** Of each field, the vector of every document. */
  private final Map<String, float[][]> vectors = new TreeMap<>();

  SampleIndex(Random random) {
    for (FloatField field : FIELDS) {
      float[][] ofField = VectorIndex.vectors(random, SIZE, field.dimension, field.similarity);
      vectors.put(field.name, ofField);
      if (field.similarity == VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT) {
        for (int id = 0; id < SIZE; id += FIRST / 3) {
          ofField[id] = Vectors.scaled(new float[][] {ofField[id]}, 1000)[0];
        }
      }
    }
  }

  /** How the codes of its segments lie. */
  static Pq32HnswConfig config(CodesMeta.Arrangement arrangement) {
    return Pq32HnswConfig.DEFAULT
        .withMinQuantizedCount(80)
        .withGraphThreshold(arrangement == CodesMeta.Arrangement.ROWS ? 1 : Integer.MAX_VALUE);
  }

  /** The vector of a document, or null where it has none. */
  float[] vector(FloatField field, int id) {
    return id % field.every == 0 ? vectors.get(field.name)[id] : null;
  }

  /** A new vector like those of the field. */
  float[] query(FloatField field, Random random) {
    float[] vector = vectors.get(field.name)[random.nextInt(SIZE)].clone();
    for (int i = 0; i < vector.length; i++) {
      vector[i] += 0.05f * (float) random.nextGaussian();
    }
    return field.similarity == VectorSimilarityFunction.DOT_PRODUCT
        ? Vectors.normalized(new float[][] {vector})[0]
        : vector;
  }

  private Document document(int id) {
    Document document = new Document();
    document.add(new IntField(VectorIndex.ID, id, Field.Store.NO));
    for (FloatField field : FIELDS) {
      float[] vector = vector(field, id);
      if (vector != null) {
        document.add(new KnnFloatVectorField(field.name, vector, field.similarity));
      }
    }
    if (id % 4 == 0) {
      document.add(new KnnByteVectorField(BYTES, new byte[] {(byte) id, (byte) (id / 3), 1}));
    }
    return document;
  }

  /** Writes both segments. */
  void write(Directory directory, CodesMeta.Arrangement arrangement) throws IOException {
    IndexWriterConfig config =
        VectorIndex.writerConfig(new Pq32HnswVectorsFormat(config(arrangement)));
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      List<Document> documents = new ArrayList<>();
      for (int id = 0; id < SIZE; id++) {
        documents.add(document(id));
      }
      writer.addDocuments(documents.subList(0, FIRST));
      writer.flush();
      writer.addDocuments(documents.subList(FIRST, SIZE));
    }
  }
}
