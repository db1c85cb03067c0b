package io.pq32.elasticsearch.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** The documents and queries the demo works on. */
record Sample(List<Document> documents, List<Query> queries) {
  /** A package: its fields as they are shipped, and the vector of its text. */
  record Document(String id, ObjectNode fields, float[] vector) {
    String title() {
      return fields.path("title").asText();
    }
  }

  /** The one-line synopsis of a package, and the vector of that line. */
  record Query(String id, String text, float[] vector) {}

  private static final ObjectMapper JSON = new ObjectMapper();

  // Elasticsearch's own bound on the dims of a dense_vector.
  private static final int MAX_DIMENSION = 4096;

  /** Reads the sample shipped with the demo. */
  static Sample load() throws IOException {
    List<ObjectNode> lines = lines("docs.jsonl.gz");
    List<float[]> vectors = vectors("docs.u8.bvecs.gz", lines.size());
    List<Document> documents = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      ObjectNode fields = lines.get(i);
      documents.add(new Document(fields.required("id").asText(), fields, vectors.get(i)));
    }
    lines = lines("queries.jsonl.gz");
    vectors = vectors("queries.u8.bvecs.gz", lines.size());
    List<Query> queries = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      ObjectNode fields = lines.get(i);
      queries.add(
          new Query(
              fields.required("id").asText(), fields.required("text").asText(), vectors.get(i)));
    }
    return new Sample(List.copyOf(documents), List.copyOf(queries));
  }

  private static List<ObjectNode> lines(String name) throws IOException {
    List<ObjectNode> lines = new ArrayList<>();
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(open(name), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(JSON.readValue(line, ObjectNode.class));
      }
    }
    return lines;
  }

  private static List<float[]> vectors(String name, int expected) throws IOException {
    List<float[]> vectors;
    try (InputStream in = open(name)) {
      vectors = readVectors(in, name);
    }
    if (vectors.size() != expected) {
      throw new IOException(
          name + " has " + vectors.size() + " vectors for " + expected + " lines of text");
    }
    return vectors;
  }

  /**
   * Reads vectors written as little-endian int32 dimension and that many unsigned bytes u each: the
   * vector is u - 128 divided by its Euclidean norm.
   */
  static List<float[]> readVectors(InputStream in, String name) throws IOException {
    List<float[]> vectors = new ArrayList<>();
    while (true) {
      byte[] header = in.readNBytes(Integer.BYTES);
      if (header.length == 0) {
        return vectors;
      }
      int dimension =
          header.length < Integer.BYTES
              ? 0
              : ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt();
      if (dimension < 1 || dimension > MAX_DIMENSION) {
        throw new IOException(
            "%s: vector %d has dimension %d, must be in 1 to %d"
                .formatted(name, vectors.size(), dimension, MAX_DIMENSION));
      }
      byte[] components = in.readNBytes(dimension);
      if (components.length < dimension) {
        throw new EOFException(
            "%s: vector %d ends after %d of %d components"
                .formatted(name, vectors.size(), components.length, dimension));
      }
      vectors.add(unit(components, name, vectors.size()));
    }
  }

  private static float[] unit(byte[] components, String name, int ord) throws IOException {
    long squares = 0;
    for (byte component : components) {
      int value = Byte.toUnsignedInt(component) - 128;
      squares += (long) value * value;
    }
    if (squares == 0) {
      throw new IOException(name + ": vector " + ord + " is all zeros and has no direction");
    }
    double norm = Math.sqrt(squares);
    float[] vector = new float[components.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) ((Byte.toUnsignedInt(components[i]) - 128) / norm);
    }
    return vector;
  }

  private static InputStream open(String name) throws IOException {
    InputStream resource = Sample.class.getResourceAsStream("/sample/" + name);
    if (resource == null) {
      throw new FileNotFoundException(
          "the demo's sample file " + name + " is not on the classpath");
    }
    return new BufferedInputStream(new GZIPInputStream(resource));
  }
}
