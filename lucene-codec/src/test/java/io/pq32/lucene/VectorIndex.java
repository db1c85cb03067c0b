package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.function.IntPredicate;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.LogDocMergePolicy;
import org.apache.lucene.index.MultiDocValues;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.SortedNumericDocValues;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.Directory;

/** Small indexes for tests: documents with a number and a vector, written through IndexWriter. */
final class VectorIndex {
  static final String ID = "id";
  static final String FIELD = "vector";

  private VectorIndex() {}

  static Codec codec(KnnVectorsFormat format) {
    return new Lucene104Codec() {
      @Override
      public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
        return format;
      }
    };
  }

  /** Merges when told to, and on the calling thread: what a test writes is what it gets. */
  static IndexWriterConfig writerConfig(KnnVectorsFormat format) {
    return new IndexWriterConfig()
        .setCodec(codec(format))
        .setMergePolicy(NoMergePolicy.INSTANCE)
        .setMergeScheduler(new SerialMergeScheduler())
        .setUseCompoundFile(false)
        .setMaxBufferedDocs(IndexWriterConfig.DISABLE_AUTO_FLUSH)
        .setRAMBufferSizeMB(256);
  }

  /** {@link #writerConfig} that lets {@code forceMerge} merge. */
  static IndexWriterConfig mergingConfig(KnnVectorsFormat format) {
    LogDocMergePolicy mergePolicy = new LogDocMergePolicy();
    mergePolicy.setMergeFactor(1000);
    mergePolicy.setNoCFSRatio(0);
    return writerConfig(format).setMergePolicy(mergePolicy);
  }

  static Document document(int id, float[] vector, VectorSimilarityFunction similarity) {
    Document document = new Document();
    document.add(new IntField(ID, id, Field.Store.NO));
    document.add(new KnnFloatVectorField(FIELD, vector, similarity));
    return document;
  }

  static void add(
      IndexWriter writer, float[][] vectors, int from, int to, VectorSimilarityFunction similarity)
      throws IOException {
    for (int id = from; id < to; id++) {
      writer.addDocument(document(id, vectors[id], similarity));
    }
  }

  /** One segment with all vectors, numbered in order. */
  static void write(
      Directory directory,
      KnnVectorsFormat format,
      float[][] vectors,
      VectorSimilarityFunction similarity)
      throws IOException {
    try (IndexWriter writer = new IndexWriter(directory, writerConfig(format))) {
      add(writer, vectors, 0, vectors.length, similarity);
    }
  }

  /** Data that codes tell apart well, of unit length where the similarity demands it. */
  static float[][] vectors(
      Random random, int count, int dimension, VectorSimilarityFunction similarity) {
    float[][] vectors = Vectors.anisotropic(random, count, dimension);
    return similarity == VectorSimilarityFunction.DOT_PRODUCT
        ? Vectors.normalized(vectors)
        : vectors;
  }

  /** Numbers of the documents found, best first. */
  static int[] ids(IndexReader reader, ScoreDoc[] hits) throws IOException {
    if (hits.length == 0) { // there may be no document at all
      return new int[0];
    }
    int[] ids = new int[reader.maxDoc()];
    SortedNumericDocValues values = MultiDocValues.getSortedNumericValues(reader, ID);
    if (values == null) { // no document is left
      return new int[0];
    }
    while (values.nextDoc() != SortedNumericDocValues.NO_MORE_DOCS) {
      ids[values.docID()] = (int) values.nextValue();
    }
    return Arrays.stream(hits).mapToInt(hit -> ids[hit.doc]).toArray();
  }

  /** Numbers of the k nearest accepted vectors, best first. */
  static int[] nearest(
      float[][] vectors,
      float[] query,
      int k,
      VectorSimilarityFunction similarity,
      IntPredicate accepted) {
    return BruteForce.top(
        vectors.length, k, id -> similarity.compare(query, vectors[id]), accepted);
  }

  /** Checks every vector of a field against the one its document's number stands for. */
  static void assertVectors(IndexReader reader, String field, Map<Integer, float[]> byId)
      throws IOException {
    int count = 0;
    for (LeafReaderContext leaf : reader.leaves()) {
      FloatVectorValues values = leaf.reader().getFloatVectorValues(field);
      if (values == null) {
        continue;
      }
      SortedNumericDocValues ids = leaf.reader().getSortedNumericDocValues(ID);
      KnnVectorValues.DocIndexIterator iterator = values.iterator();
      for (int doc = iterator.nextDoc();
          doc != KnnVectorValues.DocIndexIterator.NO_MORE_DOCS;
          doc = iterator.nextDoc()) {
        assertTrue(ids.advanceExact(doc));
        float[] expected = byId.get((int) ids.nextValue());
        if (leaf.reader().getLiveDocs() == null || leaf.reader().getLiveDocs().get(doc)) {
          assertArrayEquals(expected, values.vectorValue(iterator.index()));
          count++;
        }
      }
    }
    assertEquals(byId.size(), count);
  }

  /** Lets Lucene check everything that it can. */
  static void check(Directory directory) throws IOException {
    try (CheckIndex check = new CheckIndex(directory)) {
      check.setLevel(CheckIndex.Level.MIN_LEVEL_FOR_SLOW_CHECKS);
      assertTrue(check.checkIndex().clean);
    }
  }

  /** Our reader of a segment. */
  static Pq32VectorsReader reader(LeafReader leaf, String field) {
    var perField = (PerFieldKnnVectorsFormat.FieldsReader) ((CodecReader) leaf).getVectorReader();
    return (Pq32VectorsReader) perField.getFieldReader(field);
  }
}
