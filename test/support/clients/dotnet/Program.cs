// The stock upload task of Microsoft.Graph.Core, unchanged; arguments and output as in uploadProgram.ts.
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Graph;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Serialization.Json;

var (baseUrl, mailbox, messageId, size, way) = (args[0], args[1], args[2], int.Parse(args[3]), args[4]);
// As the generated SDK does when it is started.
ParseNodeFactoryRegistry.DefaultInstance.ContentTypeAssociatedFactories["application/json"] = new JsonParseNodeFactory();

var content = RandomNumberGenerator.GetBytes(size);
var session = await OpenSession();
if (way != "upload")
{
    try { await CreateTask().UploadAsync(new Interruption()); }
    catch (InterruptedException) { }
}
var task = CreateTask();
Uri? location = null;
if (way == "cancel") await task.DeleteSessionAsync();
else location = (way == "resume" ? await task.ResumeAsync() : await task.UploadAsync()).Location;
var sha256 = Convert.ToHexStringLower(SHA256.HashData(content));
Console.WriteLine(JsonSerializer.Serialize(new { location = location?.OriginalString, sha256 }));

// The task would read a body of the last answer as its type argument; an attachment's last answer has none.
LargeFileUploadTask<Session> CreateTask() => new(session, new MemoryStream(content));

async Task<Session> OpenSession()
{
    using var client = new HttpClient();
    // A Dictionary keeps the spelling of AttachmentItem: the serialiser's web defaults would make it attachmentItem.
    var item = new Dictionary<string, object>
    {
        ["AttachmentItem"] = new { attachmentType = "file", name = "report.pdf", size },
    };
    using var answer = await client.PostAsJsonAsync(
        $"{baseUrl}/v1.0/users/{mailbox}/messages/{messageId}/attachments/createUploadSession", item);
    answer.EnsureSuccessStatusCode();
    return (await answer.Content.ReadFromJsonAsync<Session>(JsonSerializerOptions.Web))!;
}

class InterruptedException : Exception;

/// <summary>Breaks off after the first slice.</summary>
class Interruption : IProgress<long>
{
    public void Report(long value) => throw new InterruptedException();
}

/// <summary>As the model of the generated SDK: the package itself has none that is public.</summary>
class Session : IUploadSession
{
    public string? UploadUrl { get; set; }
    public List<string>? NextExpectedRanges { get; set; }
    public DateTimeOffset? ExpirationDateTime { get; set; }
    public IDictionary<string, object> AdditionalData { get; set; } = new Dictionary<string, object>();
    public IDictionary<string, Action<IParseNode>> GetFieldDeserializers() => new Dictionary<string, Action<IParseNode>>();
    public void Serialize(ISerializationWriter writer) => throw new NotSupportedException();
}
