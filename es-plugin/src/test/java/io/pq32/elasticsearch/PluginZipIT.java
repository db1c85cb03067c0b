package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

/** What is installed with the plugin: our jars, what DEPENDENCIES.md lists, and nothing else. */
class PluginZipIT {
  private static final Path ROOT = Path.of("..");

  private static Map<String, byte[]> contents() throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    try (InputStream file = Files.newInputStream(Path.of(System.getProperty("pq32.plugin.zip")));
        ZipInputStream zip = new ZipInputStream(file)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        contents.put(entry.getName(), zip.readAllBytes());
      }
    }
    return contents;
  }

  /** Rows of the table: file, version, license, SHA-256. */
  private static List<String[]> dependencies() throws IOException {
    List<String[]> rows = new ArrayList<>();
    for (String line : Files.readAllLines(ROOT.resolve("DEPENDENCIES.md"))) {
      if (line.matches("\\| .*\\.jar \\|.*")) {
        rows.add(line.substring(2, line.length() - 2).split(" \\| "));
      }
    }
    return rows;
  }

  private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void holdsTheListedCodeOfOthersAndNoOther() throws Exception {
    Map<String, String> listed = new TreeMap<>();
    for (String[] row : dependencies()) {
      listed.put(row[0], row[3]);
    }
    Map<String, String> found = new TreeMap<>();
    for (Map.Entry<String, byte[]> entry : contents().entrySet()) {
      if (entry.getKey().endsWith(".jar") && !entry.getKey().startsWith("pq32-")) {
        found.put(entry.getKey(), sha256(entry.getValue()));
      }
    }
    assertEquals(listed, found);
  }

  @Test
  void namesVersionAndLicenseOfAll() throws IOException {
    for (String[] row : dependencies()) {
      assertTrue(row[0].endsWith("-" + row[1] + ".jar"), row[0] + " in version " + row[1]);
      assertEquals("Apache-2.0", row[2], row[0]);
    }
  }

  @Test
  void asksForNoEntitlementAndBringsNothingThatRuns() throws IOException {
    Map<String, byte[]> contents = contents();
    contents.keySet().removeIf(name -> name.endsWith(".jar"));
    assertEquals(
        List.of("LICENSE", "NOTICE", "plugin-descriptor.properties"),
        List.copyOf(contents.keySet()));
    for (String name : List.of("LICENSE", "NOTICE")) {
      assertArrayEquals(Files.readAllBytes(ROOT.resolve(name)), contents.get(name), name);
    }
  }
}
