import com.google.googlejavaformat.java.Formatter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks ({@code check}) or rewrites ({@code write}) the layout of every Java source below the
 * current folder with google-java-format. Run by the parent POM on JDK 25.
 */
final class Format {
  public static void main(String[] args) throws Exception {
    boolean write = args.length == 1 && args[0].equals("write");
    if (!write && !(args.length == 1 && args[0].equals("check"))) {
      throw new IllegalArgumentException("usage: Format.java check|write");
    }
    List<Path> differing = new ArrayList<>();
    List<Path> sources;
    try (var files = Files.walk(Path.of("."))) {
      sources =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .filter(file -> !file.toString().contains("/target/"))
              .sorted()
              .toList();
    }
    Formatter formatter = new Formatter();
    for (Path source : sources) {
      String before = Files.readString(source);
      String after = formatter.formatSourceAndFixImports(before);
      if (!before.equals(after)) {
        differing.add(source);
        if (write) {
          Files.writeString(source, after);
        }
      }
    }
    if (write) {
      System.out.println("formatted " + differing.size() + " of " + sources.size() + " sources");
    } else if (!differing.isEmpty()) {
      System.err.println("Not in google-java-format layout; run: mvn -N validate -Dformat=write");
      differing.forEach(file -> System.err.println("  " + file));
      System.exit(1);
    }
  }
}
