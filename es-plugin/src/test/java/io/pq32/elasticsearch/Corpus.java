package io.pq32.elasticsearch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Documents with text, metadata and clustered vectors, the same for the same seed. */
record Corpus(List<Document> documents, List<float[]> queries) {
  /**
   * Spread inside a cluster where cluster centers have spread 1: neighbors mix, none is trivial.
   */
  private static final float CLUSTER_SPREAD = 0.5f;

  private static final int CLUSTERS = 20;
  private static final int QUERIES = 50;

  /**
   * One document.
   *
   * @param id also its {@code _id}
   * @param text words, one of which only the documents of its cluster have
   * @param group one of ten keywords, independent of the vector
   * @param year 2000 to 2024, independent of the vector
   * @param sold independent of the vector
   */
  record Document(int id, String text, String group, int year, boolean sold, float[] vector) {
    private Document unit() {
      return new Document(id, text, group, year, sold, Corpus.unit(vector));
    }

    /** The word of the text that stands for the cluster of the vector. */
    String topic() {
      return text.substring(0, text.indexOf(' '));
    }

    /** As a document of {@link TestIndex#corpusMapping}. */
    String json() {
      return "{\"number\": %d, \"text\": \"%s\", \"group\": \"%s\", \"year\": %d, \"sold\": %b, \"vector\": %s}"
          .formatted(id, text, group, year, sold, Arrays.toString(vector));
    }
  }

  static Corpus generate(long seed, int count, int dimension) {
    return generate(seed, count, dimension, CLUSTERS);
  }

  /** With one cluster only: all vectors are about as far from a query as its nearest. */
  static Corpus shapeless(long seed, int count, int dimension) {
    return generate(seed, count, dimension, 1);
  }

  private static Corpus generate(long seed, int count, int dimension, int clusters) {
    Random random = new Random(seed);
    float[][] centers = new float[clusters][];
    for (int cluster = 0; cluster < clusters; cluster++) {
      centers[cluster] = around(new float[dimension], 1, random);
    }
    List<Document> documents = new ArrayList<>();
    for (int id = 0; id < count; id++) {
      int cluster = random.nextInt(clusters);
      documents.add(
          new Document(
              id,
              "topic" + cluster + " word" + random.nextInt(100),
              "group" + random.nextInt(10),
              2000 + random.nextInt(25),
              random.nextBoolean(),
              around(centers[cluster], CLUSTER_SPREAD, random)));
    }
    List<float[]> queries = new ArrayList<>();
    for (int query = 0; query < QUERIES; query++) {
      queries.add(around(centers[random.nextInt(clusters)], CLUSTER_SPREAD, random));
    }
    return new Corpus(documents, queries);
  }

  private static float[] around(float[] center, float spread, Random random) {
    float[] vector = new float[center.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = center[i] + spread * (float) random.nextGaussian();
    }
    return vector;
  }

  /** The same documents and queries with vectors of length 1. */
  Corpus unit() {
    return new Corpus(
        documents.stream().map(Document::unit).toList(),
        queries.stream().map(Corpus::unit).toList());
  }

  static float[] unit(float[] vector) {
    float length = (float) Math.sqrt(dot(vector, vector));
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = vector[i] / length;
    }
    return unit;
  }

  /** Ids of the accepted documents nearest to the query by cosine, nearest first. */
  List<Integer> nearest(float[] query, int k, Predicate<Document> accept) {
    record Scored(int id, double cosine) {}
    return documents.stream()
        .filter(accept)
        .map(document -> new Scored(document.id(), cosine(query, document.vector())))
        .sorted(Comparator.comparingDouble(Scored::cosine).reversed())
        .limit(k)
        .map(Scored::id)
        .toList();
  }

  /** The score that Elasticsearch documents for the similarity cosine. */
  static double cosineScore(float[] query, float[] vector) {
    return (1 + cosine(query, vector)) / 2;
  }

  static double cosine(float[] a, float[] b) {
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  static double squareDistance(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> Math.pow((double) a[i] - b[i], 2)).sum();
  }
}
